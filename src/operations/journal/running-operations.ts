import { RackError } from '../../domain/error.ts'
import { DeadlineError, withDeadline } from '../../lib/deadline.ts'

/** The operations of this daemon that have not ended, so that they can be cancelled and awaited. */
export interface RunningOperations {
  /**
   * Runs the work of a journal row under a signal of its own: a lost client does not end it, `cancel` does. Rejects
   * with what the work rejects with.
   * @throws unreachable once the daemon stops
   */
  run<T>(operation: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Aborts the work and settles when it has ended, whatever its end. False when it does not run here. */
  cancel(operation: string, why?: RackError): Promise<boolean>
  has(operation: string): boolean
  /** Settles when the work has ended, whatever its end; at once when it does not run here. */
  ended(operation: string): Promise<void>
  /**
   * Aborts everything, for the daemon's end; the journal stays open and the next start takes it up. What does not end
   * within ten seconds is left to that too: false then.
   */
  interruptAll(): Promise<boolean>
  readonly size: number
  isInterrupted(): boolean
  /** @throws unreachable once the daemon stops */
  refuseWhenInterrupted(): void
}

/** Old copies may still be draining: the next start finishes that. */
const interruptDeadlineMs = 10_000

export function createRunningOperations(deadlineMs = interruptDeadlineMs): RunningOperations {
  const entries = new Map<string, { controller: AbortController; ended: Promise<void> }>()
  let interrupted = false

  const abort = async (operation: string, reason: RackError): Promise<boolean> => {
    const entry = entries.get(operation)
    if (!entry) return false
    entry.controller.abort(reason)
    await entry.ended
    return true
  }
  const refuseWhenInterrupted = () => {
    if (interrupted) throw stopping()
  }

  return {
    async run(operation, work) {
      refuseWhenInterrupted()
      const controller = new AbortController()
      const promise = work(controller.signal)
      entries.set(operation, { controller, ended: promise.then(nothing, nothing) })
      try {
        return await promise
      } finally {
        entries.delete(operation)
      }
    },
    cancel: (operation, why = new RackError('cancelled', 'the operation was cancelled')) =>
      abort(operation, why),
    has: (operation) => entries.has(operation),
    ended: async (operation) => await entries.get(operation)?.ended,
    async interruptAll() {
      interrupted = true
      const all = Promise.all([...entries.keys()].map((operation) => abort(operation, stopping())))
      try {
        await withDeadline({ deadlineMs, what: 'the running operations to end' }, () => all)
        return true
      } catch (error) {
        if (error instanceof DeadlineError) return false
        throw error
      }
    },
    get size() {
      return entries.size
    },
    isInterrupted: () => interrupted,
    refuseWhenInterrupted,
  }
}

function nothing(): void {}

function stopping(): RackError {
  return new RackError('unreachable', 'the daemon is stopping', {
    hint: 'What was under way is taken up when it starts again: rack start',
  })
}
