import type { Control } from '../../domain/control.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import type { Context } from '../context.ts'
import { phraseTarget } from '../read-release.ts'
import { bringBack } from './bring-back.ts'
import { carryOut, closeFailed } from './carry-out.ts'
import { carryOutDeletion } from './carry-out-deletion.ts'

/**
 * Finishes or undoes an operation that nobody works at any more: its daemon died, or could not close it. To be called
 * in the app's turn.
 */
export async function takeUp(context: Context, operation: Operation, control: Control): Promise<void> {
  const work = {
    build: closeBuild,
    delete: carryOutDeletion,
    run: closeRun,
    promote: finishOrUndo,
    scale: finishOrUndo,
    restart: finishOrUndo,
  }[operation.kind]
  await context.running.run(operation.id, (signal) =>
    work(context, operation, { ...control, signal: AbortSignal.any([signal, control.signal]) }, control),
  )
}

/** Goes forward first: the copies may be there already. What cannot be finished goes back to what was live. */
async function finishOrUndo(
  context: Context,
  operation: Operation,
  control: Control,
  undoing: Control,
): Promise<void> {
  const { app, intent } = operation
  try {
    if (!intent.release) throw interrupted()
    const { release, formation, restart } = intent
    // What was live keeps running as it did; a release that was about to be may have been refused by now.
    const underPolicy = operation.kind === 'promote'
    const { plan } = await phraseTarget(context, { app, release, formation, restart, underPolicy })
    await carryOut(context, operation, plan, control)
  } catch (error) {
    if (context.running.isInterrupted() || undoing.signal.aborted) throw error
    context.log('warn', `${operation.kind} ${operation.id} of ${app} is undone`, { code: codeOf(error) })
    await closeFailed(context, operation, error)
    // Not under the signal that a cancel ends: this is what the cancel waits for.
    await bringBack(context, app, undoing)
  }
}

async function closeBuild({ store, objects }: Context, { id, app, intent }: Operation): Promise<void> {
  const build = intent.build ? await store.builds.get(app, intent.build) : null
  if (build) await objects.remove(`sources/${app}/${build.id}.tar`)
  // Its release was made: only the row was not closed.
  if (build?.status === 'complete') return store.operations.complete(id, {})
  const { code, message } = interrupted()
  if (build) await store.builds.fail(build.id, message)
  await store.operations.fail(id, 'failed', { code, message })
}

async function closeRun({ store }: Context, { id }: Operation): Promise<void> {
  const { code, message } = interrupted()
  await store.operations.fail(id, 'failed', { code, message })
}

function interrupted(): RackError {
  return new RackError('cancelled', 'the daemon ended while this ran')
}
