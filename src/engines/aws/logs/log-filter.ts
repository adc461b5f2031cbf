import type { LogQuery } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { parseLogPattern } from '../../../domain/log-pattern.ts'
import { createBoundedMatcher, MatchTimeoutError } from '../../../lib/bounded-match.ts'
import type { LogEvent } from './log-events.ts'

/** Of the pieces that are tried at once, 32 KiB each: a thousand times what an honest pattern takes. */
const patternBounds = { deadlineMs: 100, longestText: 8192 }

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

function textMatcher(grep: string): (texts: string[]) => boolean[] {
  const pattern = parseLogPattern(grep)
  if ('text' in pattern) return (texts) => texts.map((text) => text.includes(pattern.text))
  const matcher = createBoundedMatcher(pattern.expression, patternBounds)
  return (texts) => {
    try {
      return matcher.matches(texts)
    } catch (error) {
      if (!(error instanceof MatchTimeoutError)) throw error
      throw new RackError('invalid', `the pattern ${grep} takes too long`, {
        hint: 'Repetitions inside of repetitions, such as (a+)+, try every way to match: write it without them.',
        cause: error,
      })
    }
  }
}
