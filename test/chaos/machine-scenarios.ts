import { readFile } from 'node:fs/promises'
import { abortable, startDeadline } from '../../src/lib/deadline.ts'
import type { RunningChange } from './changes.ts'
import { killProcess } from '../support/daemon-rack.ts'
import { strikeChange, strikeIdle, type Blow } from './round.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

const answerMs = 120_000

/** A promote that is struck as each of these phases begins. */
function duringPromote(
  about: Omit<Scenario, 'run' | 'where'>,
  phases: string[],
  strike: (world: World) => Promise<string | void>,
): Scenario {
  return {
    ...about,
    where: `a promote, as a phase begins: ${phases.join(', ')}`,
    async run(world, rounds, hear) {
      for (let round = 0; round < Math.ceil(rounds / 6); round++) {
        for (const phase of phases) {
          const blow: Blow = async (_world, change) => {
            const how = await change.reaches(phase)
            const note = (await strike(world)) ?? ''
            return how === 'reached' ? note : how
          }
          hear(await strikeChange(world, 'promote', blow), phase)
        }
      }
    },
  }
}

async function restartEngine({ dockerd }: World, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  await dockerd.end(signal)
  await dockerd.start()
}

const engineIdle: Scenario = {
  name: 'dockerd-idle',
  what: 'dockerd (SIGKILL, SIGTERM), started again at once',
  where: 'nothing to do',
  hitsDataPlane: true,
  async run(world, _rounds, hear) {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      hear(await strikeIdle(world, () => restartEngine(world, signal)), signal)
    }
  },
}

/** A full disk is no reason to keep a command waiting: that it does not end is a failure of the run. */
async function answered(change: RunningChange, signal: AbortSignal): Promise<void> {
  using deadline = startDeadline({
    deadlineMs: answerMs,
    what: 'the answer to a change on a full disk',
    signal,
  })
  await abortable(change.answer, deadline.signal)
}

/** The disk is full until the promote has its end, and then no longer. */
const diskFull: Scenario = {
  name: 'disk-full',
  what: "the disk of the rack (store, router's files, logs) has no byte left",
  where: 'a promote, from the phase on: look, start, check, route',
  hitsDataPlane: false,
  async run(world, rounds, hear) {
    for (let round = 0; round < Math.ceil(rounds / 6); round++) {
      for (const phase of ['look', 'start', 'check', 'route']) {
        const blow: Blow = async ({ disk, signal }, change) => {
          const how = await change.reaches(phase)
          try {
            await disk.fill()
            await answered(change, signal)
          } finally {
            await disk.free()
          }
          return how === 'reached' ? '' : how
        }
        hear(await strikeChange(world, 'promote', blow), phase)
      }
    }
  },
}

const powerLoss = duringPromote(
  { name: 'all', what: 'daemon, HAProxy and dockerd at once (SIGKILL)', hitsDataPlane: true },
  ['check', 'leave'],
  async ({ rack, dockerd }) => {
    const router = await rack.routerPid()
    await Promise.all([rack.end('SIGKILL'), dockerd.end('SIGKILL'), killProcess(router)])
    await Promise.all([dockerd.start(), rack.start()])
  },
)

export const machineScenarios: Scenario[] = [
  duringPromote(
    { name: 'haproxy-master', what: "HAProxy's master (SIGKILL)", hitsDataPlane: true },
    ['start', 'route', 'leave'],
    async ({ rack }) => killProcess(await rack.routerPid()),
  ),
  duringPromote(
    { name: 'haproxy-worker', what: "HAProxy's worker (SIGKILL)", hitsDataPlane: true },
    ['start', 'route', 'leave'],
    async ({ rack }) => {
      const master = await rack.routerPid()
      const children = await readFile(`/proc/${master}/task/${master}/children`, 'utf8')
      for (const pid of children.trim().split(' ')) await killProcess(Number(pid))
    },
  ),
  engineIdle,
  duringPromote(
    { name: 'dockerd', what: 'dockerd (SIGKILL), started again at once', hitsDataPlane: true },
    ['start', 'check', 'route', 'leave'],
    (world) => restartEngine(world, 'SIGKILL'),
  ),
  powerLoss,
  diskFull,
]
