import { countCronTimes, lastCronTime, nextCronTime } from '../lib/cron-times.ts'

/** What happens when it is time for a run and the one before has not ended. */
export type Overlap = 'skip' | 'queue' | 'replace'

/** A command of a process type that runs at given times; its name is the type's own. */
export interface Timer {
  name: string
  /** Minute, hour, day, month and weekday: `*`, a step of it, or numbers and days with commas between them. */
  schedule: string
  /** A name of the system's time zones. */
  timezone: string
  /** For a shell. */
  command: string
  overlap: Overlap
  /** Ended when it runs longer; null runs without limit. */
  timeoutMs: number | null
}

/** A timer of what is live, as the store keeps it. */
export interface LiveTimer extends Omit<Timer, 'command' | 'timeoutMs'> {
  app: string
  process: string
  /** RFC 3339: all times up to here have been seen to. */
  since: string
}

export type TimerRunStatus = 'waiting' | 'running' | 'complete' | 'failed' | 'skipped'

/** One time that a timer's command was to run, and what became of it. */
export interface TimerRun {
  /** Counted through all runs of the rack. */
  id: number
  app: string
  process: string
  timer: string
  /** `schedule`, or who asked for it. */
  actor: string
  /** The time that it stands for. */
  due: string
  /** How many times had passed unseen, which this run makes up for. */
  missed: number
  /** `complete` is one that has ended, whatever its exit code; `failed` never ran, or nobody knows how it ended. */
  status: TimerRunStatus
  /** Why it was skipped, has failed or was ended. */
  reason: string | null
  operation: string | null
  /** The process that it is. */
  processId: string | null
  release: string | null
  started: string | null
  ended: string | null
  exitCode: number | null
}

/** Says which timer is meant: of one app. */
export type TimerKey = Pick<TimerRun, 'app' | 'process' | 'timer'>

/** What is due of a timer. */
export interface DueRun {
  due: Date
  missed: number
}

/** A run that begins within it is on time. */
const punctualMs = 60_000
/** More are not counted, for a rack that was away for very long. */
const mostMissed = 1000

/**
 * What is due, all times since a moment taken together: a run for the last of them, that says how many were missed.
 * Null when it is not time.
 */
export function dueRun(timer: Pick<Timer, 'schedule' | 'timezone'>, since: Date, now: Date): DueRun | null {
  const next = nextCronTime(timer, since)
  if (!next || next > now) return null
  const count = countCronTimes(timer, { after: since, until: now }, mostMissed)
  const due = lastCronTime(timer, now) ?? next
  const isPunctual = now.getTime() - due.getTime() < punctualMs
  return { due, missed: isPunctual ? count - 1 : count }
}

/** The next time after a moment, RFC 3339; null for never. */
export function nextTime(timer: Pick<Timer, 'schedule' | 'timezone'>, after: Date): string | null {
  return nextCronTime(timer, after)?.toISOString() ?? null
}

/** The times after a moment, soonest first. */
export function nextTimes(timer: Pick<Timer, 'schedule' | 'timezone'>, after: Date, most: number): string[] {
  const times: string[] = []
  for (let next = nextCronTime(timer, after); next && times.length < most; next = nextCronTime(timer, next))
    times.push(next.toISOString())
  return times
}

/** A clock that goes back by less makes nothing run twice; by more, it is believed. */
const steppedBackMs = 10 * 60_000

/** Whether the clock has been set back behind what was seen to: times count from now on then. */
export function isSetBack(since: Date, now: Date): boolean {
  return since.getTime() - now.getTime() > steppedBackMs
}

/** How many runs of a timer may wait for those before them. */
const mostWaiting = 10

/** What becomes of a run that is due, and of those that wait. */
export interface Turn {
  status: 'waiting' | 'skipped'
  reason: string | null
  /** Why those that wait are skipped; null when they are not. */
  waitingGo: string | null
}

/** Decides by a timer's rule and its runs that have not ended. */
export function turnOf(overlap: Overlap, open: TimerRun[]): Turn {
  const waiting = open.filter(({ status }) => status === 'waiting')
  const skip = (reason: string): Turn => ({ status: 'skipped', reason, waitingGo: null })
  const wait: Turn = { status: 'waiting', reason: null, waitingGo: null }
  const [first] = open
  if (!first) return wait
  if (overlap === 'replace') return { ...wait, waitingGo: 'the next run takes its place' }
  if (overlap === 'queue') {
    return waiting.length < mostWaiting ? wait : skip(`${mostWaiting} runs wait already`)
  }
  const does = first.status === 'running' ? 'has not ended' : 'has not begun'
  return skip(`the run of ${first.due} ${does}`)
}

/** `type.name`, as it is called within its app. */
export function timerName({ process, timer }: Pick<TimerKey, 'process' | 'timer'>): string {
  return `${process}.${timer}`
}
