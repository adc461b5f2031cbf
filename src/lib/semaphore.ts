export interface Semaphore {
  /**
   * Waits for a free slot, first come first served, and holds it until disposed (twice does no harm).
   *
   * @throws the signal's reason, when it aborts before a slot is free
   */
  acquire(signal?: AbortSignal): Promise<Disposable>
  /** Runs the task while holding a slot. */
  run<T>(task: () => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>
}

/**
 * Lets at most `limit` holders in at a time.
 *
 * @throws RangeError when the limit is no whole number from 1
 */
export function createSemaphore(limit: number): Semaphore {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`a semaphore needs a limit of 1 or more, not ${limit}`)
  let free = limit
  const waiting = new Set<() => void>()

  const release = () => {
    const [next] = waiting
    if (next) {
      waiting.delete(next)
      next()
    } else {
      free++
    }
  }

  const enter = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted()
    if (free > 0) {
      free--
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = () => {
      waiting.delete(resolve)
      reject(signal?.reason as Error)
    }
    waiting.add(resolve)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  const acquire = async (signal?: AbortSignal): Promise<Disposable> => {
    await enter(signal)
    return onceDisposed(release)
  }

  return {
    acquire,
    async run(task, signal) {
      using _slot = await acquire(signal)
      return await task()
    },
  }
}

function onceDisposed(dispose: () => void): Disposable {
  let isDisposed = false
  return {
    [Symbol.dispose]() {
      if (!isDisposed) dispose()
      isDisposed = true
    },
  }
}

/** Applies an async function to every item, `limit` at a time; results keep the order of the items. */
export async function mapBounded<T, R>(
  items: Iterable<T>,
  limit: number,
  apply: (item: T) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const semaphore = createSemaphore(limit)
  const failed = new AbortController()
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  // After a failure the items still waiting are not started.
  const start = (item: T) =>
    semaphore.run(async () => {
      try {
        return await apply(item)
      } catch (error) {
        failed.abort(error)
        throw error
      }
    }, either)
  return await Promise.all(Array.from(items, start))
}
