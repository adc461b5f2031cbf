import assert from 'node:assert/strict'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import type { Process } from '../../src/domain/process.ts'
import { until } from '../../src/lib/poll.ts'
import { ask, exit, mirror, pause, serveText, sleep, type Step } from '../support/behaviour.ts'
import { buildSpec } from '../support/build-spec.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { servesHttp } from '../support/plans.ts'
import type { Scenario, World } from './engine.ts'

/** What those outside get, and how many copies there are for it meanwhile. */
export function trafficScenarios(scenario: Scenario): void {
  routeScenarios(scenario)
  tcpScenarios(scenario)
  drainScenarios(scenario)
  heldScenario(scenario)
  droppedScenario(scenario)
  rollScenarios(scenario)
}

const second = { release: 'RBBBBBBBBBB' }
const third = { release: 'RCCCCCCCCCC' }

/** A name of the scenario's own: apps share one router. */
const hostOf = ({ app }: World, type = 'web') => `${type}-${app}.localhost`

/** A type at a host name that says who it is. */
function webType(world: World, text: string, overrides: Partial<ProcessPlan> = {}): ProcessPlan {
  const type = overrides.type ?? 'web'
  return world.type(type, [serveText(8080, text)], {
    ...servesHttp(8080, [hostOf(world, type)]),
    drainTimeoutMs: 500,
    ...overrides,
  })
}

/** A type at an external tcp port that says who it is. */
function tcpType(world: World, external: number, text: string): ProcessPlan {
  return world.type('db', [serveText(8080, text)], {
    ports: [{ external, container: 8080, protocol: 'tcp', proxy: false, secure: false }],
    internalPorts: [8080],
    drainTimeoutMs: 500,
  })
}

/** Who answers to visitors, one after another. */
async function answersAt({ harness }: World, door: string): Promise<string[]> {
  const answers = []
  for (let visitor = 0; visitor < 8; visitor++) answers.push(await harness.visit(door))
  return [...new Set(answers.map((answer) => (answer ? `${answer.status} ${answer.text}` : 'nobody')))]
}

async function statusAt({ harness }: World, door: string): Promise<number | null> {
  return (await harness.visit(door))?.status ?? null
}

/** Looks again and again while something goes on, at its end too. */
async function watching<T>(world: World, work: Promise<unknown>, look: () => Promise<T>): Promise<T[]> {
  const { slowness = 1 } = world.harness
  let isOver = false
  const ended = work.finally(() => {
    isOver = true
  })
  const seen: T[] = []
  const watch = async () => {
    const isLast = isOver
    seen.push(await look())
    return isLast
  }
  await Promise.all([
    ended,
    until(watch, { deadlineMs: 45_000 * slowness, what: 'what is watched', intervalMs: 2 }),
  ])
  return seen
}

const isUp = ({ status }: Process) => status !== 'completed' && status !== 'crashed'

function routeScenarios(scenario: Scenario): void {
  scenario(
    'a host name leads to the copies of its type, after a deploy to the new ones alone',
    async (world) => {
      const host = hostOf(world)
      assert.equal(await statusAt(world, host), 404)
      await world.deploy([webType(world, 'one', { count: 2 })])
      assert.deepEqual(await answersAt(world, host), ['200 one'])
      const deploying = world.deploy([webType(world, 'two', { count: 2 })], second)
      const seen = await watching(world, deploying, async () => await answersAt(world, host))
      assert.ok(
        new Set(seen.flat()).isSubsetOf(new Set(['200 one', '200 two'])),
        'nobody is refused meanwhile',
      )
      assert.deepEqual(await answersAt(world, host), ['200 two'])
    },
  )

  scenario('each host name leads to its own type', async (world) => {
    await world.deploy([webType(world, 'shop'), webType(world, 'admin', { type: 'admin' })])
    assert.deepEqual(await answersAt(world, hostOf(world)), ['200 shop'])
    assert.deepEqual(await answersAt(world, hostOf(world, 'admin')), ['200 admin'])
  })

  scenario('a type that a plan drops loses its route, and its host name is free', async (world) => {
    const admin = webType(world, 'admin', { type: 'admin' })
    await world.deploy([webType(world, 'shop'), admin])
    await world.deploy([webType(world, 'shop')], second)
    assert.equal(await statusAt(world, hostOf(world, 'admin')), 404)
    assert.deepEqual(await answersAt(world, hostOf(world)), ['200 shop'])
    await world.deploy([webType(world, 'shop', { hosts: [hostOf(world), hostOf(world, 'admin')] })], third)
    assert.deepEqual(await answersAt(world, hostOf(world, 'admin')), ['200 shop'])
  })

  scenario('a deploy that fails leaves the routes as they were', async (world) => {
    await world.deploy([webType(world, 'one')])
    const bad = webType(world, 'two', { command: world.command([exit(1)]) })
    await world.failsToDeploy([bad, webType(world, 'admin', { type: 'admin' })], second)
    assert.deepEqual(await answersAt(world, hostOf(world)), ['200 one'])
    assert.equal(await statusAt(world, hostOf(world, 'admin')), 404)
  })

  scenario('a type that is scaled to zero keeps its route, where nobody answers', async (world) => {
    await world.deploy([webType(world, 'one')])
    const before = await world.ids()
    await world.deploy([webType(world, 'one', { count: 0 })])
    assert.equal(await statusAt(world, hostOf(world)), 503)
    await world.deploy([webType(world, 'one')])
    assert.deepEqual(await answersAt(world, hostOf(world)), ['200 one'])
    assert.ok((await world.ids()).every((id) => !before.includes(id)))
  })

  scenario('a removed app has no route left', async (world) => {
    await world.deploy([webType(world, 'one')])
    assert.equal(await statusAt(world, hostOf(world)), 200)
    await world.remove()
    assert.equal(await statusAt(world, hostOf(world)), 404)
  })
}

function tcpScenarios(scenario: Scenario): void {
  scenario(
    'an external tcp port leads to the copies of its type, after a deploy to the new ones',
    async (world) => {
      const port = await world.harness.externalPort()
      await world.deploy([tcpType(world, port, 'one')])
      assert.deepEqual(await answersAt(world, String(port)), ['200 one'])
      const deploying = world.deploy([tcpType(world, port, 'two')], second)
      const seen = await watching(world, deploying, async () => await answersAt(world, String(port)))
      assert.ok(
        new Set(seen.flat()).isSubsetOf(new Set(['200 one', '200 two'])),
        'nobody is refused meanwhile',
      )
      assert.deepEqual(await answersAt(world, String(port)), ['200 two'])
    },
  )

  scenario('a tcp port is closed when the plan has it no more', async (world) => {
    const port = await world.harness.externalPort()
    await world.deploy([tcpType(world, port, 'one'), world.type('worker', [sleep])])
    await world.deploy([world.type('worker', [sleep])], second)
    assert.equal(await world.harness.visit(String(port)), null)
  })

  scenario(
    'an external port comes and goes without a new copy',
    async (world) => {
      const port = await world.harness.externalPort()
      const opened = tcpType(world, port, 'one')
      const closed = { ...opened, ports: [{ ...opened.ports[0]!, external: null }] }
      await world.deploy([closed])
      const before = await world.ids()
      await world.deploy([opened])
      assert.deepEqual(await answersAt(world, String(port)), ['200 one'])
      await world.deploy([closed])
      assert.equal(await world.harness.visit(String(port)), null)
      assert.deepEqual(await world.ids(), before)
    },
    ['changesPortsInPlace'],
  )

  scenario('what an image exposes alone is reached from inside, and opens nothing outside', async (world) => {
    const { harness } = world
    const { engine } = harness
    const port = await harness.externalPort()
    const images = [{ processes: ['web'], build: buildSpec(), image: null }]
    const built = await world.build(images, { Dockerfile: `FROM busybox:1\nEXPOSE ${port}\n` })
    const { exposed, reference } = built['web']!
    assert.deepEqual(exposed, [`${port}/tcp`])
    const web = world.type('web', [serveText(port, 'one')], { image: reference, internalPorts: [port] })
    await world.deploy([web])
    assert.deepEqual(engine.endpoints(world.plan([web], {})), [])
    const isInside = async () => {
      const stream = await engine.connect({ owner: world.owner, host: 'web', port }, world.control())
      stream.close()
      return true
    }
    assert.ok(await isInside())
    assert.equal(await harness.visit(String(port)), null)
    assert.equal(await statusAt(world, hostOf(world)), 404)
  })
}

function drainScenarios(scenario: Scenario): void {
  scenario(
    'a receipt names the old copies that still drain, and its counts are measured at their end',
    async (world) => {
      const { engine } = world.harness
      const [one, two] = ['one', 'two'].map((text) => webType(world, text, { count: 2 })) as [
        ProcessPlan,
        ProcessPlan,
      ]
      const first = world.plan([one], {})
      await engine.deploy({ ...plain, plan: first, live: null }, world.control())
      const old = await world.ids()
      const receipt = await engine.deploy(
        { ...plain, plan: world.plan([two], second), live: first },
        world.control(),
      )
      assert.deepEqual(
        receipt.draining.filter((id) => !old.includes(id)),
        [],
      )
      assert.deepEqual(await answersAt(world, hostOf(world)), ['200 two'], 'traffic has moved')
      const { measurement } = receipt
      if (measurement !== null) {
        const counts = await engine.measure(measurement, world.control())
        assert.deepEqual([typeof counts.requests, counts.failed], ['number', 0])
      } else {
        assert.deepEqual([receipt.draining, typeof receipt.requests, receipt.failed], [[], 'number', 0])
      }
      const isGone = async () => (await world.ids()).every((id) => !old.includes(id))
      await until(isGone, { deadlineMs: world.patient(60_000), what: 'the old copies to be gone' })
      assert.equal((await world.ids()).length, 2)
    },
  )

  scenario('a change need not wait for what still drains', async (world) => {
    const { engine } = world.harness
    const plans = ['one', 'two', 'three'].map((text) =>
      world.plan([webType(world, text)], { release: releases[text]! }),
    )
    const old: string[] = []
    for (const [index, plan] of plans.entries()) {
      const live = plans[index - 1] ?? null
      old.push(...(await world.ids()))
      await engine.deploy({ ...plain, plan, live }, world.control())
    }
    assert.deepEqual(await answersAt(world, hostOf(world)), ['200 three'])
    const isGone = async () => (await world.ids()).every((id) => !old.includes(id))
    await until(isGone, { deadlineMs: world.patient(15_000), what: 'all older copies to be gone' })
    assert.deepEqual(
      (await world.processes()).map(({ release }) => release),
      [third.release],
    )
  })
}

/** An old connection lasts through two deploys, and its copy goes when it ends. */
function heldScenario(scenario: Scenario): void {
  scenario('a connection lasts while its copy drains, and no change waits for it', async (world) => {
    const { harness } = world
    const { engine } = harness
    const port = await harness.externalPort()
    const plans = [undefined, second, third].map((release, index) =>
      world.plan([mirrorType(world, port, index)], release ?? {}),
    )
    const [one, two, three] = plans as [Plan, Plan, Plan]
    await engine.deploy({ ...plain, plan: one, live: null }, world.control())
    const old = await world.ids()
    const held = await harness.hold(port)
    assert.equal(await held.says('first'), 'first')
    const receipt = await engine.deploy({ ...plain, plan: two, live: one }, world.control())
    assert.deepEqual(receipt.draining, old)
    assert.ok(receipt.measurement !== null, 'the counts are not complete yet')
    await engine.deploy({ ...plain, plan: three, live: two }, world.control())
    assert.equal(await held.says('second'), 'second', 'the connection has lasted')
    const [draining] = await engine.processes({ id: old[0]! }, world.control())
    assert.equal(draining?.status, 'draining')
    await held[Symbol.asyncDispose]()
    const counts = await engine.measure(receipt.measurement, world.control())
    assert.equal(counts.failed, 0)
    const isGone = async () => (await world.processes()).every(({ release }) => release === third.release)
    await until(isGone, { deadlineMs: world.patient(15_000), what: 'all older copies to be gone' })
  })
}

/** What a release drops is still called by those that it replaces. */
function droppedScenario(scenario: Scenario): void {
  scenario('a type that a release drops answers until those that call it have left', async (world) => {
    const { harness } = world
    const port = await harness.externalPort()
    const peers = ['db', 'api'].map((type) => ({ type, names: [type] }))
    const caller = (version: number) => ({ ...mirrorType(world, port, version), peers })
    const api = world.type('api', [serveText(8080, 'api')], { internalPorts: [8080], peers })
    const before = world.plan([caller(1), api], {})
    await harness.engine.deploy({ ...plain, plan: before, live: null }, world.control())
    const [old] = await world.ids('db')
    const hears = async () => {
      const { terminal, stdout } = collectTerminal()
      await harness.engine.exec(old!, world.command([ask('api', 8080), exit(0)]), terminal, world.control())
      return stdout().trim()
    }
    assert.equal(await hears(), 'api')
    {
      await using held = await harness.hold(port)
      assert.equal(await held.says('first'), 'first')
      const after = world.plan([caller(2)], second)
      await harness.engine.deploy({ ...plain, plan: after, live: before }, world.control())
      assert.equal(await hears(), 'api')
      assert.equal(await held.says('second'), 'second', 'the connection has lasted')
      assert.equal(await hears(), 'api')
    }
    const isGone = async () => (await world.processes()).every(({ release }) => release === second.release)
    await until(isGone, {
      deadlineMs: world.patient(60_000),
      what: 'the callers and what they call to be gone',
    })
  })
}

/** A type at an external tcp port that sends everything back. */
function mirrorType(world: World, external: number, version: number): ProcessPlan {
  return world.type('db', [mirror(8080)], {
    ports: [{ external, container: 8080, protocol: 'tcp', proxy: false, secure: false }],
    internalPorts: [8080],
    environment: { VERSION: String(version) },
    drainTimeoutMs: 30_000,
  })
}

/** A change of a plan that is live with nothing else. */
const plain = { leaving: [], releaseCommands: noReleaseCommands }

const releases: Record<string, string> = { one: 'RAAAAAAAAAA', two: second.release, three: third.release }

interface Roll {
  minimumPercent: number
  maximumPercent: number
  /** Most and fewest copies of four at the same time. */
  most: number
  fewest: number
}

const rolls: Roll[] = [
  { minimumPercent: 100, maximumPercent: 150, most: 6, fewest: 4 },
  { minimumPercent: 100, maximumPercent: 100, most: 5, fewest: 4 },
  { minimumPercent: 50, maximumPercent: 100, most: 4, fewest: 2 },
]

function rollScenarios(scenario: Scenario): void {
  for (const { most, fewest, ...percentages } of rolls) {
    const { minimumPercent, maximumPercent } = percentages
    scenario(
      `between ${minimumPercent} and ${maximumPercent} percent: never more than ${most} of 4 copies, nor fewer than ${fewest}`,
      async (world) => {
        // A while to get ready: what runs meanwhile can be seen.
        const steps = (text: string): Step[] => [pause(150), serveText(8080, text)]
        const web = (text: string) =>
          webType(world, text, { count: 4, ...percentages, command: world.command(steps(text)) })
        await world.deploy([web('one')])
        const deploying = world.deploy([web('two')], second)
        const seen = await watching(world, deploying, async () => (await world.processes('web')).filter(isUp))
        const [counts, serving] = [
          seen.map(({ length }) => length),
          seen.map((copies) => copies.filter(isServing).length),
        ]
        assert.ok(Math.max(...counts) <= most, `${Math.max(...counts)} at once`)
        assert.ok(Math.min(...serving) >= fewest, `only ${Math.min(...serving)} served`)
        assert.ok(new Set(counts).size > 1 || most === 4, 'the roll was seen')
        const after = await world.processes('web')
        assert.deepEqual(
          after.map(({ release }) => release),
          Array.from({ length: 4 }, () => second.release),
        )
        assert.deepEqual(await answersAt(world, hostOf(world)), ['200 two'])
      },
    )
  }

  scenario(
    'an agent has its copies on every instance, and no more after a change',
    async (world) => {
      const { instances } = await world.harness.engine.capacity(world.control())
      const agent = (text: string) =>
        world.type('agent', [serveText(8080, text)], { isAgent: true, internalPorts: [8080] })
      await world.deploy([agent('one')])
      assert.equal((await world.ids('agent')).length, instances.length)
      await world.deploy([agent('two')], second)
      const after = await world.processes('agent')
      assert.deepEqual(
        after.map(({ release }) => release),
        Array.from(instances, () => second.release),
      )
    },
    ['agents'],
  )
}

const isServing = ({ status }: Process) => status === 'running'
