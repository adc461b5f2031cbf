import { checkAppName, type App } from '../domain/app.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Context } from './context.ts'
import { refuseHeldName } from './domains/domains.ts'
import { say } from './say.ts'

/** @throws exists; invalid; conflict for a name that somebody has as a domain */
export async function createApp(context: Context, app: string): Promise<App> {
  checkAppName(app, context.rack.name)
  refuseHeldName(context, app)
  return await context.store.apps.create(app)
}

/** Creates the app unless it is there, and says so. @throws invalid */
export async function createMissingApp(context: Context, app: string, control: Control): Promise<void> {
  if ((await context.store.apps.get(app)) !== null) return
  try {
    await createApp(context, app)
  } catch (error) {
    // Somebody else has just done it.
    if (error instanceof RackError && error.code === 'exists') return
    throw error
  }
  say(context, control, `the app ${app} is new; it is created`)
}
