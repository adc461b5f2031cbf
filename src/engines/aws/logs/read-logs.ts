import type { LogLine, LogQuery } from '../../../domain/engine.ts'
import { pause } from '../../../lib/poll.ts'
import type { AwsParts } from '../parts.ts'
import { findLogGroups, parseCursor, readEvents, toLine, type LogEvent, type LogGroup } from './log-events.ts'
import { createLogFilter, type LogFilter } from './log-filter.ts'
import { createSeenEvents, type SeenEvents } from './seen-events.ts'

type Signalled = { signal: AbortSignal }
type Reads = Pick<AwsParts, 'clients' | 'rack' | 'intervals'>

/**
 * The lines that a query asks for, and with `follow` what comes until the signal ends: the last seconds are asked for again
 * and again, since lines come late. Whoever reads slowly is waited for.
 */
export async function* readLogs(parts: Reads, query: LogQuery, control: Signalled): AsyncGenerator<LogLine> {
  try {
    yield* lines(parts, query, control)
  } catch (error) {
    if (query.follow && control.signal.aborted) return
    control.signal.throwIfAborted()
    throw error
  }
}

async function* lines(parts: Reads, query: LogQuery, control: Signalled): AsyncGenerator<LogLine> {
  const filter = createLogFilter(query)
  const after = query.after === undefined ? null : parseCursor(query.after)
  const readers = new Map<string, SeenEvents>()
  const readerOf = ({ name }: LogGroup) => {
    const known = readers.get(name) ?? createSeenEvents(filter.sinceMs ?? 0, after)
    readers.set(name, known)
    return known
  }
  let { tail } = query
  for (;;) {
    const groups = await findLogGroups(parts, query.owner, control)
    const round = { parts, query, filter, readerOf }
    if (tail === undefined) {
      for (const group of groups) yield* linesOf(round, group, control)
    } else {
      yield* await newestLines(round, groups, tail, control)
      tail = undefined
    }
    if (!query.follow) return
    await pause(parts.intervals.tasks, control.signal)
  }
}

interface Round {
  parts: Reads
  query: LogQuery
  filter: LogFilter
  readerOf: (group: LogGroup) => SeenEvents
}

async function* linesOf(round: Round, group: LogGroup, control: Signalled): AsyncGenerator<LogLine> {
  const reader = round.readerOf(group)
  const span = { fromMs: reader.fromMs(), type: onlyType(round.query) }
  for await (const events of readEvents(round.parts, group, span, control)) {
    for (const event of round.filter.pick(reader.fresh(events))) {
      if (control.signal.aborted) return
      yield toLine(event)
    }
  }
}

/** Streams of one type are picked by their prefix; those of several are read with all others. */
function onlyType({ types }: LogQuery): string | undefined {
  return types?.length === 1 ? types[0] : undefined
}

/** The newest of all logs together, oldest first. */
async function newestLines(
  round: Round,
  groups: LogGroup[],
  tail: number,
  control: Signalled,
): Promise<LogLine[]> {
  const found: LogEvent[] = []
  for (const group of groups) found.push(...(await newestEvents(round, group, tail, control)))
  const sorted = found.toSorted((a, b) => a.timeMs - b.timeMs)
  return tail === 0 ? [] : sorted.slice(-tail).map(toLine)
}

/** The first look back; each further one is four times as far. */
const firstWindowMs = 60_000
const windowGrowth = 4

/** CloudWatch reads forward only: windows backwards, until there is enough or the log has begun. */
async function newestEvents(
  { parts, query, filter, readerOf }: Round,
  group: LogGroup,
  tail: number,
  control: Signalled,
): Promise<LogEvent[]> {
  const reader = readerOf(group)
  const oldestMs = Math.max(group.createdMs, filter.sinceMs ?? 0)
  let found: LogEvent[] = []
  let untilMs: number | undefined
  let windowMs = firstWindowMs
  let fromMs = Date.now() - windowMs
  for (;;) {
    const span = { fromMs: Math.max(fromMs, filter.sinceMs ?? 0), type: onlyType(query) }
    let newer: LogEvent[] = []
    const limits = { ...span, ...(untilMs !== undefined && { untilMs }) }
    for await (const events of readEvents(parts, group, limits, control)) {
      newer = [...newer, ...filter.pick(reader.fresh(events))].slice(-Math.max(tail, 1))
    }
    found = [...newer, ...found].slice(-Math.max(tail, 1))
    if (found.length >= tail || fromMs <= oldestMs) return found
    untilMs = Math.floor(fromMs) - 1
    windowMs *= windowGrowth
    fromMs -= windowMs
  }
}
