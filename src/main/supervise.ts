import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { PolicyKeeper } from '../domain/policy.ts'
import { boundLog } from '../lib/bound-log.ts'
import type { OperationsRoom } from '../operations/create-operations.ts'
import { repeat, repeatTelling } from './repeat.ts'
import type { DaemonPlace } from './daemon-place.ts'
import type { Site } from './site.ts'

const enginePeriodMs = 2000
const timerPeriodMs = 1000
const logPeriodMs = 1000
/** And as much again of what was before. */
const mostLogBytes = 8 * 2 ** 20
const abandonedPeriodMs = 5000
const firstRetryMs = 3000
const lastRetryMs = 60_000

interface Supervised {
  site: Site
  room: OperationsRoom
  policy: PolicyKeeper
  log: Logger
  place: Pick<DaemonPlace, 'logFile' | 'tokens'>
}

/**
 * Keeps the rack as it should be until the signal ends: takes up what a dead daemon left, brings every live plan about
 * whenever the engine comes back, and keeps what its site has besides. Meanwhile it tells what becomes of processes, and
 * brings back those that are missing.
 */
export async function supervise(supervised: Supervised, control: Control): Promise<void> {
  await Promise.all([
    supervised.site.keep(supervised.policy, control),
    superviseEngine(supervised, control),
    superviseLog(supervised, control),
    superviseTokens(supervised, control),
    noteProcesses(supervised, control),
    supervised.room.keepHealed(control),
    supervised.room.keepCertified(control),
  ])
}

async function superviseLog({ log, place: { logFile } }: Supervised, control: Control): Promise<void> {
  if (logFile === null) return
  const work = async () => void boundLog(logFile, mostLogBytes)
  // Once: what is told makes it longer.
  await repeatTelling({ periodMs: logPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the log cannot be kept short')
  })
}

async function superviseTokens(
  { room, place: { tokens }, log }: Supervised,
  control: Control,
): Promise<void> {
  const work = async () => await tokens.takeIn(room)
  await repeatTelling({ periodMs: tokens.periodMs, work }, control, (error) => {
    log.error({ err: error }, 'a token that was left for the rack cannot be taken in')
  })
}

async function superviseEngine(supervised: Supervised, control: Control): Promise<void> {
  const { site, log } = supervised
  let wasThere = false
  let isAway = false
  await repeat(enginePeriodMs, control, async () => {
    try {
      await site.reach(control)
      if (wasThere) log.info('the engine is back')
      wasThere = true
      isAway = false
      await recoverUntilLost(supervised, control)
    } catch (error) {
      if (control.signal.aborted || isAway) return
      isAway = true
      log.error({ err: error }, 'the engine is away')
    }
  })
}

/** Settles when the engine is lost; what is being taken up ends then too, and begins anew when it is back. */
async function recoverUntilLost(supervised: Supervised, control: Control): Promise<void> {
  const leaving = new AbortController()
  const present: Control = { ...control, signal: AbortSignal.any([control.signal, leaving.signal]) }
  const lost = supervised.site.waitForLoss(present)
  try {
    await Promise.race([
      lost,
      Promise.all([keepRecovered(supervised, present), runTimers(supervised, present)]),
    ])
    await lost
  } finally {
    leaving.abort(new RackError('engine-unavailable', 'the engine went away'))
  }
}

/** A store that cannot be read at the beginning can be later. */
async function noteProcesses({ room, log }: Supervised, control: Control): Promise<void> {
  const work = async () => await room.noteProcesses(control)
  await repeatTelling({ periodMs: enginePeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'what becomes of processes is not told')
  })
}

/** Times that come while the engine is away count as missed, and are made up for when it is back. */
async function runTimers({ room, log }: Supervised, control: Control): Promise<void> {
  const work = async () => await room.runTimers(control)
  await repeatTelling({ periodMs: timerPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the timers cannot be seen to')
  })
}

/** Takes up what a dead daemon left, and from then on what this one could not write down to its end. */
async function keepRecovered(supervised: Supervised, control: Control): Promise<void> {
  await recoverRack(supervised, control)
  const { room, log } = supervised
  let before: string[] = []
  await repeat(abandonedPeriodMs, control, async () => {
    try {
      const now = await room.abandoned()
      // One that was there the last time too is none that is just being begun.
      if (now.some((id) => before.includes(id))) await recoverRack(supervised, control)
      before = now
    } catch (error) {
      if (!control.signal.aborted) log.error({ err: error }, 'what was left open cannot be taken up')
    }
  })
}

/** What cannot be brought about now may be later: a host that comes up is busy, and apps wait for each other. */
async function recoverRack({ site, room }: Supervised, control: Control): Promise<void> {
  await site.start(control)
  for (
    let waitMs = firstRetryMs;
    !(await room.recover(control));
    waitMs = Math.min(2 * waitMs, lastRetryMs)
  ) {
    await delay(waitMs, undefined, { signal: control.signal })
  }
}
