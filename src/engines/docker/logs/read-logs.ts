import type { LogLine, LogQuery } from '../../../domain/engine.ts'
import { createLogFilter, type LogFilter } from './log-filter.ts'
import { parseCursor, printCursor, type LogPlace } from './log-place.ts'
import type { LogWriter } from './log-writer.ts'
import { readWindow, type PlacedEntry } from './read-window.ts'
import type { TypeLog } from './type-log.ts'
import { openTypeReader, type TypeReader } from './type-reader.ts'

/** What is read. */
export interface KeptLogs {
  writer: LogWriter
  /** Those that a query is about, new ones too. */
  logs(): TypeLog[]
}

type Signalled = { signal: AbortSignal }

/**
 * The lines that a query asks for, from the files: with `follow`, as they are written. A reader is held back by
 * whoever reads it and remembers nothing but where it is, so that nothing has to be left out for one that is slow.
 */
export async function* readLogs(
  kept: KeptLogs,
  query: LogQuery,
  { signal }: Signalled,
): AsyncGenerator<LogLine> {
  const { writer } = kept
  const filter = createLogFilter(query)
  const start = query.after === undefined ? null : parseCursor(query.after)
  const readers = createReaders(kept, filter)
  if (start?.last) yield* linesOf(readers.window(start), start, signal)
  let base = start?.until ?? 0
  let { tail } = query
  for (;;) {
    const place = { base, until: writer.committed(), last: null }
    if (tail === undefined) yield* linesOf(readers.window(place), place, signal)
    else yield* newestOf(readers, place, tail, signal)
    // The newest are of what was there at first; what comes is wanted whole.
    tail = undefined
    base = place.until
    if (!query.follow) return
    await writer.grows(base, signal)
    if (signal.aborted) return
  }
}

type Readers = ReturnType<typeof createReaders>

/** A reader of each log, which goes on from window to window. */
function createReaders(kept: KeptLogs, filter: LogFilter) {
  const known = new Map<TypeLog, TypeReader>()
  const open = (log: TypeLog, behind: number) => {
    const reader = openTypeReader(log, behind, filter.since)
    known.set(log, reader)
    return reader
  }
  return {
    window({ base, until, last }: LogPlace) {
      const readers = kept.logs().map((log) => known.get(log) ?? open(log, base))
      return readWindow({ readers, until, after: last, filter })
    },
    /** The same for a first look: from where the newest lines, so many of each log, are all that is left. */
    newest({ until }: LogPlace, count: number) {
      const readers = kept
        .logs()
        .map((log) => open(log, filter.isEmpty ? beforeNewest(log, until, count) : 0))
      return readWindow({ readers, until, after: null, filter })
    },
  }
}

/** Counts them first: a million of them need not be held to know which they are. */
async function* newestOf(
  readers: Readers,
  place: LogPlace,
  tail: number,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let found = 0
  for await (const placed of readers.newest(place, tail)) {
    found += placed.length
    if (signal.aborted) return
  }
  let passed = found - tail
  for await (const line of linesOf(readers.newest(place, tail), place, signal)) if (passed-- <= 0) yield line
}

/** Behind which number a log has so many lines; whole files are passed over. */
function beforeNewest(log: TypeLog, until: number, count: number): number {
  const { lines, last } = log.kept()
  // What is being written counts as kept, and is not to be read yet.
  const wanted = count + Math.max(0, last - until)
  const segment = log.segments().findLast(({ before }) => lines - before.lines >= wanted)
  return segment ? segment.first - 1 : 0
}

async function* linesOf(
  window: AsyncIterable<PlacedEntry[]>,
  place: LogPlace,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  for await (const placed of window) {
    for (const each of placed) {
      if (signal.aborted) return
      yield toLine(each, place)
    }
  }
}

function toLine({ log, entry, key, isAlone }: PlacedEntry, place: LogPlace): LogLine {
  const { time, process: processId, release, stream, text } = entry
  const cursor = printCursor({ ...place, last: key }, isAlone)
  return { time, owner: log.owner, type: log.type, process: processId, release, stream, text, cursor }
}
