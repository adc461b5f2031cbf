/** What several streams give, as it comes; the end of the first that ends, or fails, is the end of all. */
export async function* mergeStreams<T>(streams: AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]())
  const ask = async (at: number) => ({ at, result: await iterators[at]!.next() })
  const waiting = new Map(iterators.map((_iterator, at) => [at, ask(at)]))
  try {
    for (;;) {
      const { at, result } = await Promise.race(waiting.values())
      if (result.done) return
      waiting.set(at, ask(at))
      yield result.value
    }
  } finally {
    // One that waits for its next ends by its own signal: nobody waits for it here.
    for (const rest of waiting.values()) rest.catch(() => undefined)
    for (const iterator of iterators) void iterator.return?.().catch(() => undefined)
  }
}
