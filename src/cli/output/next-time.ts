import type { PlannedTimer } from '../../domain/timer-plan.ts'
import { ahead, clockTime } from './times.ts'

/** `the timer nightly of web runs next at 2026-11-30 03:00 Europe/Berlin (in 9 h)` */
export function nextText({ process, name, timezone, next }: PlannedTimer): string {
  const when = next === null ? 'never runs' : `runs next at ${clockTime(next, timezone)} (${ahead(next)})`
  return `the timer ${name} of ${process} ${when}`
}
