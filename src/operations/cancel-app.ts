import { RackError } from '../domain/error.ts'
import { exclusiveKinds, type Operation } from '../domain/operation.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'

/** Ends the app's running change; settles when what ran before runs again. @throws conflict when nothing runs */
export async function cancelApp(context: Context, app: string): Promise<Operation> {
  await findApp(context, app)
  const running = await changeOf(context, app)
  if (!running) throw new RackError('conflict', `nothing of ${app} is changing now`)
  if (running.kind === 'delete')
    throw new RackError('conflict', `${app} is being deleted, which cannot be undone`)
  await context.running.cancel(running.id)
  return (await context.store.operations.get(running.id)) ?? running
}

/** The exclusive change that runs on an app now. */
export async function changeOf({ store }: Context, app: string): Promise<Operation | null> {
  const running = await store.operations.running()
  return running.find((operation) => operation.app === app && exclusiveKinds.has(operation.kind)) ?? null
}
