import type { LogLine } from '../../../domain/engine.ts'

/** Lays logs that are each in time order over each other, oldest line first. */
export async function* mergeLines(sources: AsyncIterable<LogLine>[]): AsyncGenerator<LogLine> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()))
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries()) {
        if (head.done) continue
        const best = heads[first]
        if (!best || best.done || head.value.time < best.value.time) first = index
      }
      const head = heads[first]
      if (!head || head.done) return
      yield head.value
      heads[first] = await iterators[first]!.next()
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}

/** The newest lines only; all when `tail` is undefined. */
export async function* withTail(
  source: AsyncIterable<LogLine>,
  tail: number | undefined,
): AsyncGenerator<LogLine> {
  if (tail === undefined) {
    yield* source
    return
  }
  const newest: LogLine[] = []
  for await (const line of source) {
    newest.push(line)
    // In large steps: taking one off the front each time would move the whole array.
    if (newest.length > 2 * tail + 1000) newest.splice(0, newest.length - tail)
  }
  if (tail > 0) yield* newest.slice(-tail)
}
