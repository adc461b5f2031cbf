import type { Control } from '../../domain/control.ts'
import type { Operation } from '../../domain/operation.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Context } from '../context.ts'
import { revokeBehind } from '../services/logins.ts'
import { forgetStandIns } from '../volume-data/current-volumes.ts'
import { closeFailed } from './carry-out.ts'

/** Removes what is left of the app; safe to repeat, so recovery calls it too. */
export async function carryOutDeletion(
  context: Context,
  operation: Operation,
  control: Control,
): Promise<void> {
  const { app, intent } = operation
  try {
    await removeApp(context, app, { volumes: intent.volumes ?? false }, control)
  } catch (error) {
    if (!context.running.isInterrupted()) await closeFailed(context, operation, error)
    throw error
  }
}

/** Takes away all that is of an app; its rows, and with them the journal's, at last. */
export async function removeApp(
  context: Context,
  app: string,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<void> {
  const { store, engine, domains } = context
  await cancelBuilds(context, app)
  await engine.remove(appOwner(app), { volumes }, control)
  if (volumes) await forgetStandIns(context, app)
  for (const prefix of [`sources/${app}/`, `builds/${app}/`, `kept/${app}/`])
    await removeObjects(context, prefix)
  await store.apps.remove(app)
  await domains.refresh()
  void revokeBehind(context, { signal: new AbortController().signal, report: () => undefined })
}

/** None begins any more: a build asks for the app's status once its row is there. */
async function cancelBuilds({ store, running }: Context, app: string): Promise<void> {
  const builds = (await store.operations.running()).filter((row) => row.app === app && row.kind === 'build')
  await Promise.all(builds.map(({ id }) => running.cancel(id)))
}

async function removeObjects({ objects }: Context, prefix: string): Promise<void> {
  for await (const { key } of objects.list(prefix)) await objects.remove(key)
}
