import { RackError } from '../domain/error.ts'

/** The operations of this daemon that have not ended, so that they can be cancelled and awaited. */
export interface RunningOperations {
  /**
   * Runs the work of a journal row under a signal of its own: a lost client does not end it, `cancel` does. Rejects
   * with what the work rejects with.
   */
  run<T>(operation: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Aborts the work and settles when it has ended, whatever its end. False when it does not run here. */
  cancel(operation: string): Promise<boolean>
  /** Aborts everything, for the daemon's end; the journal stays open and the next start takes it up. */
  interruptAll(): Promise<void>
  readonly size: number
  isInterrupted(): boolean
}

export function createRunningOperations(): RunningOperations {
  const entries = new Map<string, { controller: AbortController; ended: Promise<unknown> }>()
  let interrupted = false

  const abort = async (operation: string, reason: RackError): Promise<boolean> => {
    const entry = entries.get(operation)
    if (!entry) return false
    entry.controller.abort(reason)
    await entry.ended
    return true
  }

  return {
    async run(operation, work) {
      const controller = new AbortController()
      const promise = work(controller.signal)
      entries.set(operation, { controller, ended: promise.catch(() => undefined) })
      try {
        return await promise
      } finally {
        entries.delete(operation)
      }
    },
    cancel: (operation) => abort(operation, new RackError('cancelled', 'the operation was cancelled')),
    async interruptAll() {
      interrupted = true
      const reason = new RackError('cancelled', 'the daemon is stopping')
      await Promise.all([...entries.keys()].map((operation) => abort(operation, reason)))
    },
    get size() {
      return entries.size
    },
    isInterrupted: () => interrupted,
  }
}
