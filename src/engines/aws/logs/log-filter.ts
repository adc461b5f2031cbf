import type { LogQuery } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { textMatcher } from '../../common/text-matcher.ts'
import type { LogEvent } from './log-events.ts'

/** What a reader wants of the lines that it reads. */
export interface LogFilter {
  /** Milliseconds since 1970; null when lines of every time are wanted. */
  sinceMs: number | null
  pick(events: LogEvent[]): LogEvent[]
}

/** @throws invalid for a time or a pattern that is none */
export function createLogFilter({ types, process: id, release, since, grep }: LogQuery): LogFilter {
  const sinceMs = since === undefined ? null : timeOf(since)
  const hasText = grep === undefined ? null : textMatcher(grep)
  const isWanted = (event: LogEvent) =>
    (types === undefined || types.includes(event.type)) &&
    (id === undefined || id === event.process) &&
    (release === undefined || release === event.release)
  return {
    sinceMs,
    pick(events) {
      const wanted = events.filter(isWanted)
      if (!hasText || wanted.length === 0) return wanted
      const found = hasText(wanted.map(({ text }) => text))
      return wanted.filter((_event, index) => found[index])
    },
  }
}

function timeOf(since: string): number {
  const ms = Date.parse(since)
  if (!Number.isNaN(ms)) return ms
  throw new RackError('invalid', `"${since}" is no time`, { hint: 'Use RFC 3339.' })
}
