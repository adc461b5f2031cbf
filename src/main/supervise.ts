import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { PolicyKeeper } from '../domain/policy.ts'
import type { Firewall } from '../host/firewall.ts'
import { boundLog } from '../lib/bound-log.ts'
import type { OperationsRoom } from '../operations/create-operations.ts'
import type { Machine } from './machine.ts'
import { takeInTokens } from './tokens.ts'

const routerPeriodMs = 1000
const enginePeriodMs = 2000
const firewallPeriodMs = 5000
const namesPeriodMs = 2000
const timerPeriodMs = 1000
const logPeriodMs = 1000
const tokensPeriodMs = 1000
/** And as much again of what was before. */
const mostLogBytes = 8 * 2 ** 20
const abandonedPeriodMs = 5000
/** What fails again and again is tried so seldom. */
const slowestMs = 5000
const firstRetryMs = 3000
const lastRetryMs = 60_000

interface Supervised extends Machine {
  room: OperationsRoom
  policy: PolicyKeeper
  log: Logger
  /** Where its words go, unless systemd takes them, and where hashes of new tokens are left. */
  paths: { log: string; tokens: string }
}

/**
 * Keeps the rack as it should be until the signal ends: takes up what a dead daemon left, revives the router, makes the
 * firewall's table anew when somebody has flushed it, and brings every live plan about whenever the engine comes back.
 * Meanwhile it tells what becomes of processes, and brings back those that are missing.
 */
export async function supervise(supervised: Supervised, control: Control): Promise<void> {
  await Promise.all([
    superviseRouter(supervised, control),
    superviseFirewall(supervised, control),
    superviseNames(supervised, control),
    superviseEngine(supervised, control),
    superviseLog(supervised, control),
    superviseTokens(supervised, control),
    noteProcesses(supervised, control),
    supervised.room.keepHealed(control),
    supervised.room.keepCertified(control),
  ])
}

async function superviseRouter({ router, log }: Supervised, control: Control): Promise<void> {
  const work = async () => void (await router.ensureRunning(control))
  await repeatTelling({ periodMs: routerPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the router cannot be revived')
  })
}

async function superviseFirewall({ firewall, policy, log }: Supervised, control: Control): Promise<void> {
  const work = async () => await applyPolicy(firewall, policy, control)
  await repeatTelling({ periodMs: firewallPeriodMs, work }, control, (error) => {
    const whether = policy.current().metadata ? 'may be kept from' : 'reach'
    log.warn({ err: error }, `apps ${whether} the machine's metadata service, against the policy`)
  })
}

async function superviseNames({ engine, nameTable, log }: Supervised, control: Control): Promise<void> {
  const work = async () => {
    await nameTable.writeDown()
    if (await engine.mendNames(control))
      log.warn('somebody has changed the rules that names stand on: made anew')
  }
  await repeatTelling({ periodMs: namesPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the rules that names stand on cannot be kept')
  })
}

async function applyPolicy(firewall: Firewall, policy: PolicyKeeper, control: Control): Promise<void> {
  const mayAsk = policy.current().metadata
  const isClosed = await firewall.isClosed(control)
  if (mayAsk && isClosed) await firewall.open(control)
  if (!mayAsk && !isClosed) await firewall.close(control)
}

async function superviseLog({ log, paths }: Supervised, control: Control): Promise<void> {
  const work = async () => void boundLog(paths.log, mostLogBytes)
  // Once: what is told makes it longer.
  await repeatTelling({ periodMs: logPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the log cannot be kept short')
  })
}

async function superviseTokens({ room, paths, log }: Supervised, control: Control): Promise<void> {
  const work = async () => await takeInTokens(room, paths.tokens)
  await repeatTelling({ periodMs: tokensPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'a token that was made on this machine cannot be taken in')
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
  const lost = supervised.engine.waitForLoss(present)
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
async function recoverRack({ engine, room }: Supervised, control: Control): Promise<void> {
  await engine.start(control)
  for (
    let waitMs = firstRetryMs;
    !(await room.recover(control));
    waitMs = Math.min(2 * waitMs, lastRetryMs)
  ) {
    await delay(waitMs, undefined, { signal: control.signal })
  }
}

/**
 * Of failures that follow each other the first is told, and ever more time lies between them: a rack whose directory was
 * taken away fails for good, and each time costs.
 */
async function repeatTelling(
  { periodMs, work }: { periodMs: number; work: () => Promise<void> },
  control: Control,
  tell: (error: unknown) => void,
): Promise<void> {
  let failures = 0
  await repeat(periodMs, control, async () => {
    try {
      await work()
      failures = 0
      return periodMs
    } catch (error) {
      if (failures === 0 && !control.signal.aborted) tell(error)
      failures++
      return Math.max(periodMs, Math.min(periodMs * 2 ** (failures - 1), slowestMs))
    }
  })
}

/** @param work may give how long is waited instead, ms */
async function repeat(
  periodMs: number,
  { signal }: Control,
  work: () => Promise<number | void>,
): Promise<void> {
  while (!signal.aborted) {
    const waitMs = (await work()) ?? periodMs
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
  }
}
