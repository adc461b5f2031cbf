import type { LogQuery } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { textMatcher } from '../../common/text-matcher.ts'
import type { Entry } from './batch.ts'

/** What a reader wants of the lines of the types it reads. */
export interface LogFilter {
  /** Null when lines of every time are wanted. */
  since: string | null
  /** True when every line is wanted. */
  isEmpty: boolean
  pick(entries: Entry[]): Entry[]
}

/** @throws invalid for a time or a pattern that is none */
export function createLogFilter({ process: processId, release, since, grep }: LogQuery): LogFilter {
  const from = since === undefined ? null : comparableTime(since)
  const hasText = grep === undefined ? null : textMatcher(grep)
  const isOf = (wanted: string | undefined, own: string) =>
    wanted === undefined || own === '' || wanted === own
  const isWanted = (entry: Entry) =>
    isOf(processId, entry.process) && isOf(release, entry.release) && (from === null || entry.time >= from)
  return {
    since: from,
    isEmpty: processId === undefined && release === undefined && from === null && hasText === null,
    pick(entries) {
      const wanted = entries.filter(isWanted)
      if (!hasText || wanted.length === 0) return wanted
      const found = hasText(wanted.map(({ text }) => text))
      // What the rack says of missing lines holds for those that would have matched too.
      return wanted.filter(({ stream }, index) => found[index] || stream === 'rack')
    },
  }
}

/** As Docker writes times, so that they compare as text. */
function comparableTime(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime()))
    throw new RackError('invalid', `"${time}" is no time`, { hint: 'Use RFC 3339.' })
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? ''
  return `${date.toISOString().slice(0, 19)}.${fraction.padEnd(9, '0').slice(0, 9)}Z`
}
