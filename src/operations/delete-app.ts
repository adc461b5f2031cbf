import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Operation } from '../domain/operation.ts'
import { closeFailed } from './change-live.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'

/** Removes an app: its processes, routes, releases and, with `volumes`, its data. */
export async function deleteApp(
  context: Context,
  app: string,
  { volumes }: { volumes: boolean },
  actor: string,
  control: Control,
): Promise<void> {
  const { locked, release } = await findApp(context, app)
  if (locked) {
    throw new RackError('locked', `${app} is locked against deletion`, { hint: `rack apps unlock ${app}` })
  }
  const intent = { volumes, previousRelease: release }
  const operation = await context.store.operations.begin(app, 'delete', actor, intent)
  await context.running.run(operation.id, (signal) =>
    carryOutDeletion(context, operation, { ...control, signal }),
  )
}

/** Removes what is left of the app; safe to repeat, so recovery calls it too. */
export async function carryOutDeletion(
  context: Context,
  operation: Operation,
  control: Control,
): Promise<void> {
  const { store, engine, objects, buildLogs } = context
  const { app, intent } = operation
  try {
    await engine.remove(app, { volumes: intent.volumes ?? false }, control)
    for (const { id } of await store.builds.list(app, Number.MAX_SAFE_INTEGER))
      await buildLogs.remove(app, id)
    for await (const { key } of objects.list(`sources/${app}/`)) await objects.remove(key)
    await store.apps.remove(app)
  } catch (error) {
    if (!context.running.isInterrupted()) await closeFailed(context, operation, error)
    throw error
  }
}
