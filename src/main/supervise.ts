import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { OperationsRoom } from '../operations/create-operations.ts'
import type { Machine } from './machine.ts'

const routerPeriodMs = 1000
const enginePeriodMs = 2000
const firstRetryMs = 3000
const lastRetryMs = 60_000

interface Supervised extends Machine {
  room: OperationsRoom
  log: Logger
}

/**
 * Keeps the rack as it should be until the signal ends: takes up what a dead daemon left, revives the router, and
 * brings every live plan about whenever the engine comes back.
 */
export async function supervise(supervised: Supervised, control: Control): Promise<void> {
  await Promise.all([superviseRouter(supervised, control), superviseEngine(supervised, control)])
}

async function superviseRouter({ router, log }: Supervised, control: Control): Promise<void> {
  await repeat(routerPeriodMs, control, async () => {
    try {
      await router.ensureRunning(control)
    } catch (error) {
      if (!control.signal.aborted) log.error({ err: error }, 'the router cannot be revived')
    }
  })
}

async function superviseEngine(supervised: Supervised, control: Control): Promise<void> {
  const { docker, log } = supervised
  let wasThere = false
  let isAway = false
  await repeat(enginePeriodMs, control, async () => {
    try {
      await docker.json({ path: '/version', deadlineMs: 5000 }, control)
      if (wasThere) log.info('the engine is back')
      wasThere = true
      isAway = false
      await takeUpUntilLost(supervised, control)
    } catch (error) {
      if (control.signal.aborted || isAway) return
      isAway = true
      log.error({ err: error }, 'the engine is away')
    }
  })
}

/** Settles when the engine is lost; what is being taken up ends then too, and begins anew when it is back. */
async function takeUpUntilLost(supervised: Supervised, control: Control): Promise<void> {
  const leaving = new AbortController()
  const present: Control = { ...control, signal: AbortSignal.any([control.signal, leaving.signal]) }
  const lost = supervised.engine.waitForLoss(present)
  try {
    await Promise.race([lost, takeUp(supervised, present)])
    await lost
  } finally {
    leaving.abort(new RackError('engine-unavailable', 'the engine went away'))
  }
}

/** What cannot be brought about now may be later: a host that comes up is busy, and apps wait for each other. */
async function takeUp({ engine, room }: Supervised, control: Control): Promise<void> {
  await engine.start(control)
  for (
    let waitMs = firstRetryMs;
    !(await room.recover(control));
    waitMs = Math.min(2 * waitMs, lastRetryMs)
  ) {
    await delay(waitMs, undefined, { signal: control.signal })
  }
}

async function repeat(periodMs: number, { signal }: Control, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    await delay(periodMs, undefined, { signal }).catch(() => undefined)
  }
}
