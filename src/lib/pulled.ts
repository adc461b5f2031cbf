type Push<T> = (item: T) => Promise<void>

/**
 * What somebody pushes, as a stream: a push settles when the next item is asked for, so nothing is held. Begun when it is
 * read; the failure of whoever pushes is its failure. One who leaves the loop makes the next push reject.
 */
export async function* pulled<T>(
  produce: (push: Push<T>, signal: AbortSignal) => Promise<unknown>,
): AsyncGenerator<T> {
  const leaving = new AbortController()
  let offered = Promise.withResolvers<{ item: T } | null>()
  let taken = Promise.withResolvers<void>()
  const push: Push<T> = async (item) => {
    leaving.signal.throwIfAborted()
    taken = Promise.withResolvers()
    offered.resolve({ item })
    await taken.promise
  }
  const producing = produce(push, leaving.signal).then(
    () => offered.resolve(null),
    (error: unknown) => offered.reject(error),
  )
  try {
    for (;;) {
      const offer = await offered.promise
      if (!offer) return
      yield offer.item
      offered = Promise.withResolvers()
      taken.resolve()
    }
  } finally {
    const gone = new Error('nobody reads on')
    leaving.abort(gone)
    // The push that waits; where none does, nobody hears of it.
    taken.promise.catch(() => undefined)
    taken.reject(gone)
    offered.promise.catch(() => undefined)
    await producing
  }
}
