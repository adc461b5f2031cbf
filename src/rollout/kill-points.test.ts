import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exit, print, serve, sleep, stopsWell, wordCommand } from '../../test/support/behaviour.ts'
import { dyingAt, killPoints, type Dying, type KillPoint } from '../../test/support/kill-points.ts'
import { createMemoryEngine, createMemoryWorld, type MemoryEngine } from '../../test/support/memory-engine.ts'
import { planOf, processPlan, servesHttp } from '../../test/support/plans.ts'
import type { Control } from '../domain/control.ts'
import { noReleaseCommands, type Change } from '../domain/engine.ts'
import { appOwner } from '../domain/owner.ts'
import type { Plan, ProcessPlan } from '../domain/plan.ts'
import { until } from '../lib/poll.ts'
import { mapBounded } from '../lib/semaphore.ts'
import type { Runtime } from './runtime.ts'

const control: Control = { signal: new AbortController().signal, report: () => undefined }
const app = 'shop'
const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const

const types = (text: string, last = sleep): ProcessPlan[] => [
  processPlan({
    type: 'web',
    count: 2,
    maximumPercent: 150,
    ...servesHttp(3000, ['shop.localhost']),
    command: wordCommand([print(text), serve(3000)]),
    after: [{ type: 'db', condition: 'started' }],
  }),
  processPlan({
    type: 'db',
    stopFirst: true,
    mounts: [mount],
    restart: 'on-failure',
    command: wordCommand([print(text), stopsWell, last]),
  }),
  processPlan({ type: 'worker', restart: 'no', command: wordCommand([print(text), stopsWell, sleep]) }),
]

const live = planOf(types('one'), { release: 'RAAAAAAAAAA', volumes: ['data'] })
const next = planOf(types('two'), { release: 'RBBBBBBBBBB', volumes: ['data'] })
const failing = planOf(types('three', exit(3)), { release: 'RCCCCCCCCCC', volumes: ['data'] })
const scaled = planOf(
  live.processes.map((type) => (type.type === 'web' ? { ...type, count: 4 } : type)),
  { release: live.release, volumes: ['data'] },
)

const to = (plan: Plan, before: Plan | null): Change => ({
  plan,
  live: before,
  leaving: [],
  releaseCommands: noReleaseCommands,
})

interface Outcome {
  calls: string[]
  hasDied: boolean
}

/** Deploys `plan` over what is live with a daemon that dies at a point, then hands the world to another daemon. */
async function dieIn(plan: Plan, point: KillPoint | null): Promise<Outcome & { engine: MemoryEngine }> {
  const world = createMemoryWorld()
  await createMemoryEngine({ world, settleMs: 1 }).deploy(to(live, null), control)
  let dying: Dying<Runtime> | null = null
  const wrap = (runtime: Runtime) => (dying = dyingAt(runtime, point)).it
  const engine = createMemoryEngine({ world, wrap, settleMs: 1 })
  await engine.deploy(to(plan, live), control).catch((error: unknown) => error)
  const { calls, hasDied } = dying as unknown as Dying<Runtime>
  return { calls, hasDied: hasDied(), engine: createMemoryEngine({ world, settleMs: 1 }) }
}

/** The app is the plan and nothing else, and the router sends requests to all of its copies that serve, and to no other. */
async function assertIs(engine: MemoryEngine, plan: Plan, about: string): Promise<void> {
  const isQuiet = async () =>
    (await engine.processes({ owner: appOwner(app) }, control)).every(
      ({ status }) => status !== 'draining' && status !== 'crashed',
    )
  await until(isQuiet, { deadlineMs: 5000, intervalMs: 1, what: 'what drains to be gone' })
  const found = await engine.processes({ owner: appOwner(app), all: true }, control)
  const counts = Object.fromEntries(plan.processes.map(({ type, count }) => [type, count]))
  const seen = Object.fromEntries(
    Array.from(
      Map.groupBy(found, ({ type }) => type),
      ([type, { length }]) => [type, length],
    ),
  )
  assert.deepEqual(seen, counts, about)
  for (const { type, status } of found) assert.equal(status, 'running', `${about}: ${type}`)
  const web = found.filter(({ type }) => type === 'web').map(({ id }) => id)
  assert.deepEqual(engine.visit('shop.localhost').toSorted(), web.toSorted(), about)
}

/** Each has a world of its own, and most of it is waiting. */
const atOnce = async (points: KillPoint[], run: (point: KillPoint) => Promise<void>) =>
  await mapBounded(points, 32, run)

const changes = { promote: next, scale: scaled, 'failing promote': failing }

for (const [what, plan] of Object.entries(changes)) {
  test(`a daemon that dies at any verb of a ${what}: the next one finishes or undoes it`, async () => {
    const whole = await dieIn(plan, null)
    assert.ok(whole.calls.length > 10, whole.calls.join(' '))
    await atOnce(killPoints(whole.calls), async (point) => {
      const name = `${what}, ${point.when} ${whole.calls[point.at]} (${point.at})`
      const { engine } = await dieIn(plan, point)
      // Recovery goes forward first, and back where that fails.
      const forward = await engine.deploy(to(plan, live), control).then(
        () => true,
        () => false,
      )
      assert.equal(forward, plan !== failing, name)
      await assertIs(engine, forward ? plan : live, name)
    })
  })

  test(`a daemon that dies at any verb of a ${what}: what was live can be brought back`, async () => {
    const whole = await dieIn(plan, null)
    await atOnce(killPoints(whole.calls), async (point) => {
      const { engine } = await dieIn(plan, point)
      await engine.deploy(to(live, live), control)
      await assertIs(engine, live, `undone: ${what}, ${point.when} ${whole.calls[point.at]} (${point.at})`)
    })
  })
}

test('a second daemon that dies while it finishes: a third one does', async () => {
  const whole = await dieIn(next, null)
  await atOnce(killPoints(whole.calls), async (first) => {
    for (const at of [1, 4, 8, 12]) {
      const { engine } = await dieIn(next, first)
      const wrap = (runtime: Runtime) => dyingAt(runtime, { at, when: 'after' }).it
      const second = createMemoryEngine({ world: engine.world, wrap, settleMs: 1 })
      await second.deploy(to(next, live), control).catch((error: unknown) => error)
      await engine.deploy(to(next, live), control)
      await assertIs(engine, next, `killed at ${first.at}, and again at ${at}`)
    }
  })
})
