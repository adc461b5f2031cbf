import { RackError } from '../../../domain/error.ts'

/**
 * Where a reader is. Lines are read in windows: all up to a number, laid in order of time, then the next ones. All
 * up to `base` have been read, and of those up to `until` the ones that `last` and what comes before it in order.
 */
export interface LogPlace {
  base: number
  until: number
  /** Null between two windows. */
  last: OrderKey | null
}

/** Orders the lines of a window. */
export interface OrderKey {
  /** The newest time of the log up to the line. */
  time: string
  sequence: number
}

export function isBehind(a: OrderKey, b: OrderKey): boolean {
  return a.time === b.time ? a.sequence > b.sequence : a.time > b.time
}

/** As text that a client gives back; within one log the number alone says it all. */
export function printCursor({ base, until, last }: LogPlace, isAlone: boolean): string {
  if (!last) return until.toString(36)
  if (isAlone) return last.sequence.toString(36)
  return [base, until, last.sequence].map((number) => number.toString(36)).join('-') + `-${last.time}`
}

/** @throws invalid for what no rack has given */
export function parseCursor(text: string): LogPlace {
  const match = /^([0-9a-z]{1,11})(?:-([0-9a-z]{1,11})-([0-9a-z]{1,11})-(\d{4}[0-9T:.Z-]{0,40}))?$/.exec(text)
  const numbers = match?.slice(1, 4).map((digits) => Number.parseInt(digits ?? '0', 36)) ?? []
  if (!match || !numbers.every(Number.isSafeInteger)) {
    throw new RackError('invalid', `"${text.slice(0, 80)}" is no cursor of a log line`, {
      hint: 'Give the cursor of a line back as it was, or leave it out.',
    })
  }
  const [base = 0, until = 0, sequence = 0] = numbers
  const time = match[4]
  if (time === undefined) return { base, until: base, last: null }
  return { base, until, last: { time, sequence } }
}
