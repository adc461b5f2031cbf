import type { App } from '../domain/app.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { carryOutDeletion } from './journal/carry-out-deletion.ts'
import { refuseComing, startChange } from './journal/start-operation.ts'
import type { DeleteOptions } from './operations.ts'

/** Removes an app: its processes, routes, releases and, with `volumes`, its data. Ends its builds. */
export async function deleteApp(
  context: Context,
  app: string,
  { volumes, unlink }: DeleteOptions,
  control: Control,
): Promise<void> {
  await startChange(context, app, control, async () => {
    const { locked, release } = await findApp(context, app)
    if (locked) {
      throw new RackError('locked', `${app} is locked against deletion`, { hint: `rack apps unlock ${app}` })
    }
    if (!unlink) await refuseLinking(context, app)
    const intent = { volumes, previousRelease: release }
    const operation = await context.store.operations.begin(app, 'delete', context.caller.name, intent)
    const work = (signal: AbortSignal) => carryOutDeletion(context, operation, { ...control, signal })
    return { operation, work }
  })
}

async function refuseLinking({ store }: Context, app: string): Promise<void> {
  const links = (await store.services.links()).filter((link) => link.app === app)
  if (links.length === 0) return
  const services = [...new Set(links.map(({ service }) => service))].join(', ')
  throw new RackError('conflict', `${app} links ${services}`, {
    hint: `Delete the links with it (the service and its data stay): rack apps delete ${app} --unlink`,
    details: links,
  })
}

/** Whether the app is protected against deletion. @throws not-found; busy while it comes from elsewhere */
export async function setLocked(context: Context, app: string, locked: boolean): Promise<App> {
  await findApp(context, app)
  await refuseComing(context, app)
  await context.store.apps.setLocked(app, locked)
  return await findApp(context, app)
}
