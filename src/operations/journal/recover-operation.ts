import type { Control } from '../../domain/control.ts'
import { codeOf, knownError, RackError } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Context } from '../context.ts'
import { livePlanOf, phraseTarget } from '../read-release.ts'
import { convergeApp } from './converge-app.ts'
import { carryOut, closeFailed, closeWith } from './carry-out.ts'
import { undoImport } from '../moves/undo-import.ts'
import { carryOutDeletion } from './carry-out-deletion.ts'

/**
 * Finishes or undoes an operation that nobody works at any more: its daemon died, or could not close it. To be called
 * in the app's turn.
 */
export async function recoverOperation(
  context: Context,
  operation: Operation,
  control: Control,
): Promise<void> {
  const work = {
    build: closeBuild,
    delete: carryOutDeletion,
    run: closeRun,
    promote: finishOrUndo,
    scale: finishOrUndo,
    restart: finishOrUndo,
    stop: finishOrUndo,
    heal: closeHeal,
    rollback: finishOrUndo,
    import: undoImport,
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
  if (intent.failure) {
    await closeWith(context, operation, intent.failure)
    return await convergeApp(context, app, undoing)
  }
  try {
    if (!intent.release) throw interrupted()
    const { release, formation, restart, mounted: volumes } = intent
    // What was live keeps running as it did; a release that was about to be may have been refused by now.
    const underPolicy = operation.kind === 'promote'
    const { plan } = await phraseTarget(context, { app, release, formation, restart, volumes, underPolicy })
    using _room = await context.admission.readmit(operation, control)
    await carryOut(context, operation, { plan, live: await livePlanOf(context, app) }, control)
  } catch (error) {
    if (context.running.isInterrupted() || undoing.signal.aborted) throw error
    const why = { code: codeOf(error), reason: knownError(error).message }
    context.log('warn', `${operation.kind} ${operation.id} of ${app} is undone`, why)
    await closeFailed(context, operation, error)
    // Not under the signal that a cancel ends: this is what the cancel waits for.
    await convergeApp(context, app, undoing)
  }
}

async function closeBuild(
  { store, objects, buildLogs }: Context,
  { id, app, intent }: Operation,
): Promise<void> {
  const build = intent.build ? await store.builds.get(app, intent.build) : null
  if (build) {
    await objects.remove(`sources/${app}/${build.id}.tar`)
    await buildLogs.finish(app, build.id)
  }
  // Its release was made: only the row was not closed.
  if (build?.status === 'complete') return store.operations.complete(id, {})
  const { code, message } = interrupted()
  if (build) await store.builds.fail(build.id, message)
  await store.operations.fail(id, 'failed', { code, message })
}

/**
 * One whose process has started goes on, and is closed by its end. One that was made only is removed by the engine; that
 * of a timer begins anew.
 */
async function closeRun(
  { store, engine }: Context,
  { id, app, intent }: Operation,
  control: Control,
): Promise<void> {
  const found = await engine.processes({ owner: appOwner(app), operation: id, all: true }, control)
  if (found.some(({ started }) => started !== null)) return
  if (intent.timer !== undefined) await store.timers.putBack(id)
  const { code, message } = interrupted()
  await store.operations.fail(id, 'failed', { code, message })
}

/** What it was at is brought about with all that is live, or found lacking again. */
async function closeHeal({ store }: Context, { id }: Operation): Promise<void> {
  const { code, message } = interrupted()
  await store.operations.fail(id, 'failed', { code, message })
}

function interrupted(): RackError {
  return new RackError('cancelled', 'the daemon ended while this ran')
}
