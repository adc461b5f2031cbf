import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import type { OperationsRoom } from '../operations/create-operations.ts'
import type { Machine } from './machine.ts'

const routerPeriodMs = 1000
const enginePeriodMs = 2000

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

async function superviseEngine({ room, engine, docker, log }: Supervised, control: Control): Promise<void> {
  let isTakenUp = false
  let isAway = false
  const takeUp = async () => {
    await engine.start(control)
    await room.recover(control)
    isTakenUp = true
  }
  await repeat(enginePeriodMs, control, async () => {
    try {
      await docker.json({ path: '/version', deadlineMs: 5000 }, control)
      if (isTakenUp) log.info('the engine is back')
      isAway = false
      const lost = engine.waitForLoss(control)
      await Promise.race([lost, takeUp()])
      await lost
    } catch (error) {
      if (control.signal.aborted || isAway) return
      isAway = true
      log.error({ err: error }, 'the engine is away')
    }
  })
}

async function repeat(periodMs: number, { signal }: Control, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work()
    await delay(periodMs, undefined, { signal }).catch(() => undefined)
  }
}
