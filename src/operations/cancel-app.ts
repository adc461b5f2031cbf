import { RackError } from '../domain/error.ts'
import type { Operation } from '../domain/operation.ts'
import { until } from '../lib/poll.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { changeOf } from './journal/start-operation.ts'

/**
 * Ends the app's running change and settles when it has ended: one whose traffic has moved is complete.
 * @throws conflict when nothing runs
 */
export async function cancelApp(context: Context, app: string): Promise<Operation> {
  await findApp(context, app)
  const running = await changeOf(context, app)
  if (!running) {
    throw new RackError('conflict', `nothing of ${app} is changing now`, {
      hint: `What changed last is live; go back with: rack releases rollback --app ${app}`,
    })
  }
  if (running.kind === 'delete')
    throw new RackError('conflict', `${app} is being deleted, which cannot be undone`)
  await cancelOperation(context, running)
  // An import that was ended has taken its app with it, and its row.
  return (await context.store.operations.get(running.id)) ?? { ...running, status: 'cancelled' }
}

/**
 * Ends an operation and settles when it has ended.
 * @throws conflict for one that another daemon began and that was not taken up yet
 */
export async function cancelOperation(
  { running, store }: Context,
  { id, kind, app }: Operation,
): Promise<void> {
  const hasEnded = async () =>
    (await running.cancel(id)) || (await store.operations.get(id))?.status !== 'running'
  try {
    // A row is there a moment before its work.
    await until(hasEnded, { deadlineMs: recoveryMs, what: 'the operation to be taken up' })
  } catch (cause) {
    throw new RackError('conflict', `the ${kind} of ${app} was interrupted and is not taken up yet`, {
      hint: 'That happens when the engine answers: rack status',
      cause,
    })
  }
}

const recoveryMs = 2000
