import { Cron } from 'croner'

/** A time table: five fields, and the time zone whose clock they are read on. */
export interface CronTable {
  schedule: string
  timezone: string
}

/**
 * The first time after a moment; null when none comes. Times at fixed hours and minutes come once a day: one that a
 * clock set forward leaves out comes right after the gap, of two in an hour that comes twice the first is taken. What is
 * every so many (a `*`, a step) goes as the clock shows it.
 */
export function nextCronTime(table: CronTable, after: Date): Date | null {
  return cronOf(table).nextRun(after)
}

/** The last time that is not after a moment; null when there was none. */
export function lastCronTime(table: CronTable, until: Date): Date | null {
  // Asked for those before a moment: one that is at it counts.
  const before = cronOf(table).previousRuns(2, new Date(until.getTime() + 1000))
  return before.find((time) => time <= until) ?? null
}

/** How many times there are after one moment and not after another; counted no further than `most`. */
export function countCronTimes(
  table: CronTable,
  { after, until }: { after: Date; until: Date },
  most: number,
): number {
  const cron = cronOf(table)
  let count = 0
  for (let time = cron.nextRun(after); time && time <= until && count < most; time = cron.nextRun(time))
    count++
  return count
}

const known = new Map<string, Cron>()
const mostKnown = 500

/** To read one takes as long as to find a time, and the same few are asked again and again. */
function cronOf({ schedule, timezone }: CronTable): Cron {
  const key = `${timezone} ${schedule}`
  const found = known.get(key)
  if (found) return found
  const cron = new Cron(schedule, { timezone, paused: true, mode: '5-part', fixedTimeRule: 'no-wildcard' })
  if (known.size >= mostKnown) known.clear()
  known.set(key, cron)
  return cron
}
