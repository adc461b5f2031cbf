import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../src/lib/poll.ts'
import { identifyProcess } from '../../src/lib/process-identity.ts'
import { changes, type ChangeName } from './changes.ts'
import { samplePoints, type DeathPoint } from './orders.ts'
import { strikeChange, type Blow } from './round.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

const stopMs = 30_000

/** The daemon kills itself at a verb; whoever asked loses the connection, and another daemon is started. */
function diesAt(point: DeathPoint): Blow {
  return async (world, change) => {
    const { orders, rack } = world
    // A daemon that is killed takes the connection with it, a moment before it is gone.
    const hasDied = (await change.answer)?.code === 'unreachable'
    await orders.withdraw()
    await rack.end('SIGKILL')
    await rack.start()
    return hasDied ? '' : `over before ${point.verb}`
  }
}

const isGone = async (pid: number) => (await identifyProcess(pid)) === null

const nameOf = ({ verb, nth, when }: DeathPoint) => `${when} ${verb}${nth > 1 ? ` (${nth})` : ''}`

/** What the change calls when nobody dies: its points are those of the code that runs. */
async function callsOf(world: World, name: ChangeName): Promise<string[]> {
  await changes[name].prepare?.(world)
  await world.orders.give(null)
  await strikeChange(world, name, async (_world, change) => void (await change.answer))
  const calls = await world.orders.calls()
  await world.orders.withdraw()
  assert.ok(calls.length >= 5, `the runtime of the daemon is not the one that dies: ${calls.join(' ')}`)
  return calls
}

const verbScenarios = (Object.keys(changes) as ChangeName[]).map((name): Scenario => ({
  name: `verbs-${name.replaceAll(' ', '-')}`,
  what: 'the daemon, before and after verbs of the runtime',
  where: `a ${name}`,
  hitsDataPlane: false,
  async run(world, rounds, hear) {
    for (const point of samplePoints(await callsOf(world, name), rounds)) {
      await changes[name].prepare?.(world)
      await world.orders.give(point)
      hear(await strikeChange(world, name, diesAt(point)), nameOf(point))
    }
  },
}))

const phases: Scenario = {
  name: 'phases',
  what: 'the daemon (SIGKILL from outside)',
  where: 'a promote, as a phase begins: start, check, name, route, leave',
  hitsDataPlane: false,
  async run(world, rounds, hear) {
    for (let round = 0; round < Math.ceil(rounds / 6); round++) {
      for (const phase of ['start', 'check', 'name', 'route', 'leave']) {
        const kill: Blow = async ({ rack }, change) => {
          const how = await change.reaches(phase)
          await rack.end('SIGKILL')
          await change.answer
          await rack.start()
          return how === 'reached' ? '' : how
        }
        hear(await strikeChange(world, 'promote', kill), phase)
      }
    }
  },
}

/** Where the first daemon dies, and where the one that takes up its work. */
const doubles: [DeathPoint, DeathPoint][] = [
  [
    { verb: 'start', nth: 1, when: 'after' },
    { verb: 'find', nth: 1, when: 'after' },
  ],
  [
    { verb: 'settle', nth: 1, when: 'after' },
    { verb: 'route', nth: 1, when: 'before' },
  ],
  [
    { verb: 'route', nth: 1, when: 'after' },
    { verb: 'retire', nth: 1, when: 'before' },
  ],
  [
    { verb: 'park', nth: 1, when: 'after' },
    { verb: 'start', nth: 1, when: 'after' },
  ],
]

const double: Scenario = {
  name: 'double',
  what: 'the daemon, and the next one while it recovers',
  where: 'a promote',
  hitsDataPlane: false,
  async run(world, rounds, hear) {
    for (const [first, second] of doubles.slice(0, Math.max(1, Math.ceil(rounds / 2)))) {
      await world.orders.give(first)
      const blow: Blow = async ({ orders, rack, signal }, change) => {
        await change.answer
        await rack.end('SIGKILL')
        await orders.give(second)
        // It may be dead before its API has answered.
        await rack.start().catch(() => undefined)
        const pid = rack.pid() ?? 0
        const what = `the second death, ${nameOf(second)}`
        const hasDied = await until(() => isGone(pid), { deadlineMs: 15_000, what, signal }).catch(
          () => false,
        )
        signal.throwIfAborted()
        await orders.withdraw()
        await rack.end('SIGKILL')
        await rack.start()
        return hasDied ? '' : 'the second was done before'
      }
      hear(await strikeChange(world, 'promote', blow), `${nameOf(first)}, then ${nameOf(second)}`)
    }
  },
}

const stopped: Scenario = {
  name: 'stopped',
  what: `the daemon, stopped for ${stopMs / 1000} s (SIGSTOP) and continued`,
  where: 'a promote',
  hitsDataPlane: false,
  async run(world, rounds, hear) {
    for (const phase of ['check', 'route'].slice(0, Math.ceil(rounds / 3))) {
      const blow: Blow = async ({ rack, signal }, change) => {
        const how = await change.reaches(phase)
        const pid = rack.pid() ?? assert.fail('no daemon')
        process.kill(pid, 'SIGSTOP')
        try {
          await delay(stopMs, undefined, { signal })
        } finally {
          process.kill(pid, 'SIGCONT')
        }
        return how === 'reached' ? '' : how
      }
      hear(await strikeChange(world, 'promote', blow), phase)
    }
  },
}

export const daemonScenarios: Scenario[] = [...verbScenarios, phases, double, stopped]
