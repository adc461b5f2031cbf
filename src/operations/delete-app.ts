import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { carryOutDeletion } from './journal/carry-out-deletion.ts'
import { startChange } from './journal/start-operation.ts'

/** Removes an app: its processes, routes, releases and, with `volumes`, its data. Ends its builds. */
export async function deleteApp(
  context: Context,
  app: string,
  { volumes }: { volumes: boolean },
  actor: string,
  control: Control,
): Promise<void> {
  await startChange(context, app, control, async () => {
    const { locked, release } = await findApp(context, app)
    if (locked) {
      throw new RackError('locked', `${app} is locked against deletion`, { hint: `rack apps unlock ${app}` })
    }
    const intent = { volumes, previousRelease: release }
    const operation = await context.store.operations.begin(app, 'delete', actor, intent)
    const work = (signal: AbortSignal) => carryOutDeletion(context, operation, { ...control, signal })
    return { operation, work }
  })
}
