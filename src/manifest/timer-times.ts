import { Cron } from 'croner'
import type { Timer } from './keys/timers.ts'

/** The first moment after `after` at which a timer runs, in its time zone; across a change of the clock it runs once. */
export function nextTime({ schedule }: Timer, timezone: string, after: Date): Date | null {
  return new Cron(schedule, { paused: true, timezone, mode: '5-part' }).nextRun(after)
}
