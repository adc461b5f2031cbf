import { RackError } from '../domain/error.ts'
import { abortable } from '../lib/deadline.ts'

/**
 * Keeps a sweep from taking the images of a build that is not a release yet, which nothing names. Builds go side by
 * side; a sweep goes alone.
 */
export interface ImageGate {
  /** Waits until a sweep has ended. */
  whileMaking<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T>
  /** @throws busy while images are made or swept */
  whileSweeping<T>(task: () => Promise<T>): Promise<T>
}

export function createImageGate(): ImageGate {
  let making = 0
  let sweep: Promise<unknown> | null = null
  const pass = async (signal: AbortSignal): Promise<void> => {
    if (!sweep) return
    await abortable(sweep, signal)
    await pass(signal)
  }
  return {
    async whileMaking(signal, task) {
      await pass(signal)
      making++
      try {
        return await task()
      } finally {
        making--
      }
    },
    async whileSweeping(task) {
      if (making > 0 || sweep) {
        const why = sweep
          ? 'the rack is being pruned already'
          : 'a build is running, whose images nothing names yet'
        throw new RackError('busy', why, { hint: 'Try again when it has ended: rack prune' })
      }
      const sweeping = task()
      sweep = sweeping.then(nothing, nothing)
      try {
        return await sweeping
      } finally {
        sweep = null
      }
    },
  }
}

function nothing(): void {}
