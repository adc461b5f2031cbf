import type { Entry } from './batch.ts'
import type { LogFilter } from './log-filter.ts'
import { isBehind, type OrderKey } from './log-place.ts'
import type { TypeLog } from './type-log.ts'
import type { TypeReader } from './type-reader.ts'

/** A line in its place among those of other types. */
export interface PlacedEntry {
  log: TypeLog
  entry: Entry
  key: OrderKey
  /** No other log of the window has lines in it. */
  isAlone: boolean
}

export interface Window {
  readers: TypeReader[]
  until: number
  /** What was read before, of the same window. */
  after: OrderKey | null
  filter: LogFilter
}

/**
 * The lines of a window that a reader wants, laid in order of time: each log keeps its own order. Given in lists, since
 * a wait per line costs more than the line.
 */
export async function* readWindow({ readers, until, after, filter }: Window): AsyncGenerator<PlacedEntry[]> {
  const heads = await Promise.all(readers.map((reader) => openHead(reader, until, filter)))
  let live = heads.filter((head) => head.next() !== null)
  const isAlone = live.length <= 1
  while (live.length > 0) {
    const placed: PlacedEntry[] = []
    // Until one of them has to be filled again.
    for (;;) {
      const head = firstOf(live)
      const found = head.next()!
      if (!after || isBehind(found.key, after)) placed.push({ log: head.log, ...found, isAlone })
      if (head.advance()) continue
      if (placed.length > 0) yield placed
      await head.fill()
      break
    }
    live = live.filter((head) => head.next() !== null)
  }
}

interface Head {
  log: TypeLog
  next(): { entry: Entry; key: OrderKey } | null
  /** False when it has to be filled. */
  advance(): boolean
  fill(): Promise<void>
}

async function openHead(reader: TypeReader, until: number, filter: LogFilter): Promise<Head> {
  let found: { entry: Entry; key: OrderKey }[] = []
  let at = 0
  let time = ''
  const head: Head = {
    log: reader.log,
    next: () => found[at] ?? null,
    advance: () => ++at < found.length,
    async fill() {
      ;[found, at] = [[], 0]
      while (found.length === 0) {
        const entries = await reader.read(until)
        if (!entries) return
        const times = new Map(entries.map((entry) => [entry, (time = entry.time > time ? entry.time : time)]))
        found = filter
          .pick(entries)
          .map((entry) => ({ entry, key: { time: times.get(entry)!, sequence: entry.sequence } }))
      }
    },
  }
  await head.fill()
  return head
}

function firstOf(heads: Head[]): Head {
  let [first] = heads as [Head]
  for (const head of heads) if (head !== first && isBehind(first.next()!.key, head.next()!.key)) first = head
  return first
}
