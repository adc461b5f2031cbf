import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { noSettings } from '../../src/domain/build.ts'
import type { Control } from '../../src/domain/control.ts'
import type { CopyFailure } from '../../src/domain/deployment.ts'
import type {
  Change,
  Engine,
  ImageRequest,
  LaidContent,
  LogQuery,
  NamedImage,
  OneOff,
} from '../../src/domain/engine.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { makeId } from '../../src/domain/id.ts'
import { appOwner, isSameOwner, ownerKey } from '../../src/domain/owner.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { usualReplacement, type Port } from '../../src/domain/port.ts'
import { addResources, noResources, type Instance, type Resources } from '../../src/domain/rack.ts'
import type { VolumeFilter } from '../../src/domain/volume.ts'
import { startDeadline, withDeadline } from '../../src/lib/deadline.ts'
import { tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { until } from '../../src/lib/poll.ts'
import {
  complain,
  echo,
  exit,
  pause,
  print,
  read,
  serve,
  show,
  sleep,
  type Step,
} from '../support/behaviour.ts'
import { buildSpec } from '../support/build-spec.ts'
import { collectTerminal } from '../support/collect-terminal.ts'
import { savedDigest } from '../support/saved-digest.ts'
import { packTar } from '../support/tar.ts'
import type { Hold, Visit } from '../support/visits.ts'
import { fileMount, processPlan } from '../support/plans.ts'
import { copyScenarios } from './engine-copy.ts'
import { logQueryScenarios } from './engine-logs.ts'
import { networkScenarios } from './engine-networks.ts'
import { endScenarios } from './engine-ends.ts'
import { missingFeature, type FeatureName } from '../support/needed-features.ts'
import { ownerScenarios, ownerSweepScenarios } from './engine-owners.ts'
import { trafficScenarios } from './engine-traffic.ts'
import { volumeScenarios } from './engine-volumes.ts'
import { deployPlan } from '../support/deploy-plan.ts'

/** What the suite needs of an engine under test. */
export interface EngineHarness {
  engine: Engine
  rack: string
  /** The digest of an image that can run what `command` makes. */
  image: string
  command(steps: Step[]): string[]
  /** What a visitor from outside gets at a host name, or at the number of an external tcp port. */
  visit: Visit
  /** Connects from outside to an external tcp port, and stays. */
  hold: Hold
  /** How many times longer a scenario may take than where a copy is one container; 1 when absent. */
  slowness?: number
  /** A number that nothing has as its external port. */
  externalPort(): Promise<number>
  /** Scenarios that what the engine works in cannot show, by title, each with why; none when absent. */
  beyond?: Record<string, string>
  /** Removes all that the suite left. */
  close(): Promise<void>
}

/** How much of the contract is run, and for how long. */
export interface ContractRun {
  /** When a scenario counts as hanging; three minutes when absent. */
  timeoutMs?: number
  /** Titles of those that run; all when absent. */
  only?: readonly string[]
  /** How many run at once; four when absent. */
  atOnce?: number
}

const patienceMs = 20_000

/** States what every engine does for those above the contract. Apps are named for the scenario, one each. */
export function engineContract(
  name: string,
  open: () => Promise<EngineHarness>,
  { timeoutMs = 180_000, only, atOnce = 4 }: ContractRun = {},
): void {
  describe(`engine contract: ${name}`, () => {
    let harness: EngineHarness
    const counts: ScenarioCounts = { all: 0, skipped: [], beyond: [] }
    before(async () => {
      harness = await open()
    })
    after(async () => await harness.close())
    const scenario: Scenario = (title, run, needs = []) => {
      if (only && !only.includes(title)) return
      return test(title, { timeout: timeoutMs }, async (t) => {
        counts.all++
        const lacking = missingFeature(harness.engine.features, needs)
        if (lacking) {
          counts.skipped.push({ title, lacking })
          t.skip(`lacks ${lacking}`)
          return
        }
        const why = harness.beyond?.[title]
        if (why !== undefined) {
          counts.beyond.push(title)
          t.skip(why)
          return
        }
        await using world = openWorld(harness)
        await run(world)
      })
    }
    // Most of a scenario is waiting: several at once load nothing.
    describe('apps', { concurrency: atOnce }, () => appScenarios(scenario))
    // Alone: a sweep takes every app that it is not told to keep.
    describe('leftovers', { concurrency: 1 }, () => leftoverScenarios(scenario))
    test('what was skipped lacks a feature that the engine says it has not', (t) => {
      const { all, skipped, beyond } = counts
      t.diagnostic(`${name}: ${skipped.length} of ${all} scenarios skipped`)
      for (const { title, lacking } of skipped) t.diagnostic(`lacks ${lacking}: ${title}`)
      if (only) assert.equal(all, new Set(only).size, 'a title of those that alone are wanted is no scenario')
      if (harness.beyond) t.diagnostic(`${name}: ${beyond.length} more cannot be shown here`)
      assert.deepEqual(beyond.toSorted(), Object.keys(harness.beyond ?? {}).toSorted())
    })
  })
}

/** States one thing of every engine that has all that it needs. */
export type Scenario = (title: string, run: (world: World) => Promise<void>, needs?: FeatureName[]) => unknown

/** Hands over every scenario of one app; several can run at once. */
export function appScenarios(scenario: Scenario): void {
  buildScenarios(scenario)
  buildDeadlineScenario(scenario)
  deployScenarios(scenario)
  failureScenarios(scenario)
  continuityScenarios(scenario)
  changeScenarios(scenario)
  containerScenarios(scenario)
  processScenarios(scenario)
  copyScenarios(scenario)
  logScenarios(scenario)
  logQueryScenarios(scenario)
  volumeScenarios(scenario)
  trafficScenarios(scenario)
  endScenarios(scenario)
  ownerScenarios(scenario)
  networkScenarios(scenario)
  rackScenarios(scenario)
}

/** Hands over every scenario of what is left; one at a time. */
export function leftoverScenarios(scenario: Scenario): void {
  sweepScenarios(scenario)
  ownerSweepScenarios(scenario)
}

interface ScenarioCounts {
  all: number
  skipped: { title: string; lacking: FeatureName }[]
  /** Titles of what the engine's surroundings cannot show. */
  beyond: string[]
}

function deployScenarios(scenario: Scenario): void {
  scenario('a deploy starts as many copies as the plan says, and they run', async (world) => {
    const { web, worker } = {
      web: world.type('web', [sleep], { count: 2 }),
      worker: world.type('worker', [sleep]),
    }
    const receipt = await world.deploy([web, worker])
    const processes = await world.processes()
    assert.deepEqual(processes.map(({ type }) => type).sort(), ['web', 'web', 'worker'])
    for (const running of processes) {
      assert.match(running.id, /^P[A-Z]{10}$/)
      assert.equal(running.status, 'running')
      assert.equal(running.kind, 'process')
      assert.deepEqual(running.owner, world.owner)
      assert.equal(running.release, 'RAAAAAAAAAA')
      assert.equal(running.memoryBytes, web.memoryBytes)
    }
    assert.deepEqual([receipt.started.toSorted(), receipt.replaced], [['web', 'worker'], []])
    assert.equal(receipt.failed, 0)
    assert.ok(receipt.trace.length > 0)
  })

  scenario('the same plan again changes nothing', async (world) => {
    const types = [world.type('web', [serve(8080)], { ports: [internalPort(8080)], internalPorts: [8080] })]
    await world.deploy(types)
    const before = await world.ids()
    const receipt = await world.deploy(types)
    assert.deepEqual(await world.ids(), before)
    assert.deepEqual(receipt.kept, ['web'])
    assert.deepEqual(receipt.replaced, [])
  })

  scenario(
    'a copy that ends soon after it was healthy is undone; what served before serves on',
    async (world) => {
      await world.deploy([world.type('web', [sleep])])
      const before = await world.ids('web')
      // Much longer than an engine looks at a copy without ports before it calls it healthy: it may learn late of its start.
      const last = [print('no database'), pause(8000), exit(3)]
      const broken = world.type('web', last, { watchMs: 20_000 })
      const [failure] = await world.failsToDeploy([broken], { release: 'RBBBBBBBBBB' })
      assert.deepEqual([failure?.reason, failure?.exitCode], ['exited-soon', 3])
      // It is started again as its policy has it, and may have said so twice by then.
      assert.deepEqual([...new Set(failure?.lastLines)], ['no database'])
      const isAlone = async () => (await world.ids('web')).join() === before.join()
      await until(isAlone, { deadlineMs: world.patient(), what: 'the old copy to be alone' })
      assert.equal((await world.processes('web'))[0]?.status, 'running')
    },
  )

  scenario('one type alone is brought about, and copies of the others stay as they are', async (world) => {
    const [web, worker] = [world.type('web', [sleep]), world.type('worker', [sleep])]
    await world.deploy([web, worker])
    const before = await world.ids('worker')
    const more = [web, worker].map((type) => ({ ...type, count: 2 }))
    await world.deploy(more, {}, world.control(), { only: ['web'] })
    assert.deepEqual([(await world.ids('web')).length, await world.ids('worker')], [2, before])
    await world.deploy(more)
    assert.equal((await world.ids('worker')).length, 2)
  })

  scenario('a changed type is replaced, an unchanged one keeps its copies', async (world) => {
    const web = (text: string) => world.type('web', [print(text), sleep])
    const worker = world.type('worker', [sleep])
    await world.deploy([web('one'), worker])
    const [oldWeb, oldWorker] = [await world.ids('web'), await world.ids('worker')]
    const receipt = await world.deploy([web('two'), worker], { release: 'RBBBBBBBBBB' })
    assert.deepEqual(await world.ids('worker'), oldWorker)
    const newWeb = await world.processes('web')
    assert.equal(newWeb.length, 1)
    assert.ok(!oldWeb.includes(newWeb[0]!.id))
    assert.equal(newWeb[0]!.release, 'RBBBBBBBBBB')
    assert.deepEqual([receipt.started, receipt.replaced, receipt.kept], [[], ['web'], ['worker']])
  })

  scenario(
    'RELEASE and BUILD alone replace nothing, and name the release that started a copy',
    async (world) => {
      const type = (release: string) =>
        world.type('web', [sleep], { environment: { RELEASE: release, BUILD: release } })
      await world.deploy([type('RAAAAAAAAAA')])
      const before = await world.ids()
      await world.deploy([type('RBBBBBBBBBB')], { release: 'RBBBBBBBBBB' })
      assert.deepEqual(await world.ids(), before)
      assert.equal((await world.processes())[0]?.release, 'RAAAAAAAAAA')
    },
  )

  scenario('a process has the environment of its plan', async (world) => {
    const environment = { GREETING: 'hello there', EMPTY: '' }
    await world.deploy([world.type('web', [show('GREETING'), sleep], { environment })])
    await world.sees('hello there')
  })

  scenario('a type waits for what must be completed before it', async (world) => {
    const migrate = world.type('migrate', [pause(300), print('migrated'), exit(0)], { restart: 'no' })
    const web = world.type('web', [print('serving'), sleep], {
      after: [{ type: 'migrate', condition: 'completed' }],
    })
    await world.deploy([web, migrate])
    await world.sees('serving')
    const lines = await world.lines({})
    const texts = lines.toSorted((a, b) => (a.time < b.time ? -1 : 1)).map(({ text }) => text)
    assert.deepEqual(texts, ['migrated', 'serving'])
    const processes = await world.processes()
    assert.deepEqual(
      processes.filter(({ type }) => type === 'web').map(({ status }) => status),
      ['running'],
    )
    await world.deploy([web, migrate])
    assert.equal(
      (await world.lines({ types: ['migrate'] })).length,
      1,
      'a completed process is not run again',
    )
  })

  scenario(
    'a release command runs before anything else of the release, and its log is kept',
    async (world) => {
      const releaseCommand = world.command([print('migrating'), exit(0)])
      await world.deploy([world.type('web', [print('serving'), sleep], { releaseCommand })])
      await world.sees('serving')
      assert.deepEqual((await world.lines({})).map(({ text }) => text).toSorted(), ['migrating', 'serving'])
      assert.equal((await world.processes()).length, 1)
    },
  )
}

function buildScenarios(scenario: Scenario): void {
  const shared = buildSpec()

  scenario('a build gives each type an image with its configuration, and the image runs', async (world) => {
    const said = 'WORKDIR /srv\nCMD ["sleep", "9"]\nSTOPSIGNAL SIGQUIT\n'
    const dockerfile = `FROM busybox:1\nENV LINK_SCHEME=redis\nEXPOSE 6379\nUSER nobody\n${said}`
    const images = [{ processes: ['web', 'worker'], build: shared, image: null }]
    const built = await world.build(images, { Dockerfile: dockerfile })
    assert.deepEqual(Object.keys(built).toSorted(), ['web', 'worker'])
    assert.equal(built.web!.digest, built.worker!.digest)
    assert.match(built.web!.digest, /^sha256:[0-9a-f]{64}$/)
    assert.deepEqual(built.web!.exposed, ['6379/tcp'])
    assert.deepEqual(built.web!.link, { LINK_SCHEME: 'redis' })
    assert.equal(built.web!.user, 'nobody')
    const { entrypoint, command, workingDir, stopSignal } = built.web!
    assert.deepEqual([entrypoint, command, workingDir, stopSignal], [null, ['sleep', '9'], '/srv', 'SIGQUIT'])
    await world.deploy([world.type('web', [print('built and run'), sleep], { image: built.web!.reference })])
    await world.sees('built and run')
  })

  scenario('content that is laid makes another image, and the same again the same', async (world) => {
    const laid = (digest: string, isFilling = false): LaidContent => ({
      path: '/etc/word',
      source: 'word',
      holds: 'file',
      isOver: false,
      digest,
      isFilling,
      async *open({ uid, gid }) {
        const content = Buffer.from(digest)
        const head = { mode: 0o644, size: content.length, modified: new Date(0), uid, gid }
        yield tarHead({ name: './etc/word', type: 'file', ...head })
        yield content
        yield tarPadding(content.length)
      },
    })
    const digestWith = async (...own: LaidContent[]) => {
      const image = { processes: ['web'], build: shared, image: null, laid: own }
      const built = await world.build([image], { Dockerfile: 'FROM busybox:1\nCMD ["sleep", "9"]\n' })
      return built.web!.digest
    }
    const plain = await digestWith()
    const one = await digestWith(laid('one'))
    assert.match(one, /^sha256:[0-9a-f]{64}$/)
    assert.equal(new Set([plain, one, await digestWith(laid('other'))]).size, 3)
    assert.equal(await digestWith(laid('one')), one)
    assert.equal(await digestWith(laid('one', true)), plain, 'what only fills a volume is not what runs')
  })

  scenario(
    'a build that fails says which type and step; an image that is nowhere, that it is',
    async (world) => {
      const failing = world.build([{ processes: ['web'], build: shared, image: null }], {
        Dockerfile: 'FROM busybox:1\nRUN fail on purpose\n',
      })
      const failed = await rejection(failing)
      assert.equal(failed.code, 'build-failed')
      assert.match(failed.message, /^web: step .*RUN fail on purpose/)
      const { processes, exitCode } = failed.details as { processes: string[]; exitCode: number }
      assert.deepEqual(processes, ['web'])
      assert.notEqual(exitCode, 0)
      const nowhere = await rejection(
        world.build([{ processes: ['db'], build: null, image: 'registry.invalid/none:1' }], {}),
      )
      assert.equal(nowhere.code, 'image-unavailable')
      assert.match(nowhere.message, /^db: /)
    },
  )
}

function buildDeadlineScenario(scenario: Scenario): void {
  scenario('a build that does not end is ended when its time is up, and says what to type', async (world) => {
    const endless = world.build(
      [{ processes: ['web'], build: buildSpec(), image: null }],
      { Dockerfile: 'FROM busybox:1\nRUN sleep 3599\n' },
      1000,
    )
    const { code, message, hint } = await rejection(endless)
    assert.equal(code, 'timeout')
    assert.equal(message, `the build of ${world.app} took longer than 1 s`)
    assert.match(hint ?? '', /rack parameters set builds\.deadline=1m$/)
    assert.deepEqual(await world.holders(), [])
  })
}

function failureScenarios(scenario: Scenario): void {
  scenario('a copy that exits fails the deploy with its exit code and last lines', async (world) => {
    const web = world.type('web', [print('about to fail'), exit(3)])
    const failures = await world.failsToDeploy([web])
    assert.equal(failures[0]?.type, 'web')
    assert.equal(failures[0]?.reason, 'exited')
    assert.equal(failures[0]?.exitCode, 3)
    assert.deepEqual(failures[0]?.lastLines, ['about to fail'])
    assert.deepEqual(await world.ids(), [])
  })

  scenario('a copy that never listens fails the deploy with what the probe saw', async (world) => {
    const failures = await world.failsToDeploy([world.type('web', [print('idle'), sleep], world.probed({}))])
    assert.equal(failures[0]?.reason, 'not-healthy')
    assert.match(failures[0]?.probe ?? '', /8080/)
    assert.deepEqual(failures[0]?.lastLines, ['idle'])
    assert.deepEqual(await world.ids(), [])
  })

  scenario('a copy that answers 404 to its health path fails the deploy', async (world) => {
    const failures = await world.failsToDeploy([
      world.type('web', [serve(8080, 404)], world.probed({ path: '/', timeoutMs: 3000 })),
    ])
    assert.equal(failures[0]?.reason, 'not-healthy')
    assert.match(failures[0]?.probe ?? '', /404/)
  })

  scenario('when one type fails nothing of any type changes', async (world) => {
    const live = [world.type('web', [sleep], { count: 2 }), world.type('worker', [sleep])]
    await world.deploy(live)
    const [before, held] = [await world.ids(), await world.holders()]
    await world.failsToDeploy(
      [world.type('web', [print('new'), sleep], { count: 2 }), world.type('worker', [exit(1)])],
      { release: 'RBBBBBBBBBB' },
    )
    assert.deepEqual(await world.ids(), before)
    assert.ok((await world.processes()).every(({ status }) => status === 'running'))
    assert.deepEqual(await world.holders(), held)
    const receipt = await world.deploy(live)
    assert.deepEqual(receipt.kept.toSorted(), ['web', 'worker'])
  })

  scenario('a failing release command fails the deploy before anything else starts', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const before = await world.ids()
    const releaseCommand = world.command([print('no such table'), exit(4)])
    const failures = await world.failsToDeploy(
      [world.type('web', [print('new web'), sleep], { releaseCommand })],
      { release: 'RBBBBBBBBBB' },
    )
    assert.equal(failures[0]?.reason, 'command-failed')
    assert.equal(failures[0]?.exitCode, 4)
    assert.deepEqual(failures[0]?.lastLines, ['no such table'])
    assert.deepEqual(await world.ids(), before)
    assert.ok((await world.lines({})).every(({ text }) => text !== 'new web'))
  })

  scenario('an abort in the middle ends the deploy soon and undoes it', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const before = await world.ids()
    const cancel = new AbortController()
    const stuck = world.type('web', [print('stuck'), sleep], world.probed({ graceMs: 60_000 }))
    const deploying = world.deploy([stuck], { release: 'RBBBBBBBBBB' }, world.control(cancel.signal))
    // Looked at now, or its rejection would count as unhandled while the abort is prepared.
    const rejected = assert.rejects(deploying, hasCode('cancelled'))
    await world.sees('stuck')
    const aborted = performance.now()
    cancel.abort()
    await rejected
    assert.ok(performance.now() - aborted < 10_000, 'an aborted deploy ends soon')
    assert.deepEqual(await world.ids(), before)
  })

  scenario(
    'a type with a volume is stopped first, and started again when its successor fails',
    async (world) => {
      const volume = {
        kind: 'volume',
        volume: 'data',
        path: '/data',
        readOnly: false,
        noCopy: false,
      } as const
      const db = (steps: Step[]) => world.type('db', steps, { stopFirst: true, mounts: [volume] })
      await world.deploy([db([sleep])], { volumes: ['data'] })
      await world.failsToDeploy([db([exit(1)])], { volumes: ['data'], release: 'RBBBBBBBBBB' })
      await until(async () => (await world.processes('db')).every(({ status }) => status === 'running'), {
        deadlineMs: world.patient(),
        what: 'the old db to run again',
      })
      assert.deepEqual(
        (await world.processes('db')).map(({ release }) => release),
        ['RAAAAAAAAAA'],
      )
    },
  )
}

/** What callers inside the app and those who look at it see while something goes wrong. */
function continuityScenarios(scenario: Scenario): void {
  const inside = { internalPorts: [8080], ports: [internalPort(8080)] }

  scenario('while new copies are not healthy the old ones answer under the name', async (world) => {
    await world.deploy([world.type('web', [serve(8080)], inside)])
    const cancel = new AbortController()
    const patient = world.probed({ graceMs: 60_000 })
    const stuck = world.type('web', [print('stuck'), sleep], patient)
    const deploying = world.deploy([stuck], { release: 'RBBBBBBBBBB' }, world.control(cancel.signal))
    const rejected = assert.rejects(deploying, hasCode('cancelled'))
    await world.sees('stuck')
    for (let attempt = 0; attempt < 5; attempt++) assert.match(await world.asks('web'), /200 OK/)
    cancel.abort()
    await rejected
    assert.match(await world.asks('web'), /200 OK/)
  })

  scenario('a copy that needs a while to listen is waited for', async (world) => {
    await world.deploy([world.type('web', [pause(1200), serve(8080)], world.probed({ graceMs: 10_000 }))])
    assert.match(await world.asks('web'), /200 OK/)
  })

  scenario('a process that crashes is started again, and it shows', async (world) => {
    // Longer than an engine looks at a copy without ports before it calls it healthy.
    await world.deploy([world.type('worker', [print('up'), pause(7000), exit(1)])])
    await until(async () => (await world.processes())[0]!.restarts > 0, {
      deadlineMs: world.patient(),
      what: 'a restart',
    })
    await until(async () => (await world.lines({})).length >= 2, {
      deadlineMs: world.patient(),
      what: 'its words',
    })
    assert.equal((await world.processes()).length, 1)
  })

  scenario('apps with types of the same name do not meet', async (world) => {
    await using other = openWorld(world.harness)
    await world.deploy([world.type('web', [serve(8080)], inside)])
    await other.deploy([other.type('web', [serve(8080, 404)], inside)])
    assert.match(await world.asks('web'), /200 OK/)
    assert.match(await other.asks('web'), /404 Not Found/)
    assert.equal((await world.processes()).length, 1)
  })
}

function changeScenarios(scenario: Scenario): void {
  scenario('the previous plan undoes a deploy', async (world) => {
    const first = [world.type('web', [print('first'), sleep]), world.type('worker', [sleep])]
    const second = [world.type('web', [print('second'), sleep]), world.type('mailer', [sleep])]
    await world.deploy(first)
    await world.deploy(second, { release: 'RBBBBBBBBBB' })
    assert.deepEqual(await world.types(), ['mailer', 'web'])
    await world.deploy(first)
    assert.deepEqual(await world.types(), ['web', 'worker'])
    const [web] = await world.processes('web')
    assert.equal(web?.release, 'RAAAAAAAAAA')
  })

  scenario('scaling up keeps what runs, scaling down keeps a part of it, zero ends it', async (world) => {
    const web = (count: number) => [world.type('web', [sleep], { count })]
    await world.deploy(web(2))
    const two = await world.ids()
    await world.deploy(web(4))
    const four = await world.ids()
    assert.equal(four.length, 4)
    assert.ok(two.every((id) => four.includes(id)))
    await world.deploy(web(1))
    const one = await world.ids()
    assert.equal(one.length, 1)
    assert.ok(four.includes(one[0]!))
    await world.deploy(web(0))
    assert.deepEqual(await world.ids(), [])
  })

  scenario('a restart replaces the copies that are older than it, and once', async (world) => {
    const worker = world.type('worker', [sleep])
    const web = world.type('web', [sleep], { count: 2 })
    await world.deploy([web, worker])
    const [before, kept] = [await world.ids('web'), await world.ids('worker')]
    // The engine's clock may be coarser than ours: a second later is later for both.
    await wait(1100)
    const restarted = { ...web, replaceBefore: new Date().toISOString() }
    await world.deploy([restarted, worker])
    const after = await world.ids('web')
    assert.equal(after.length, 2)
    assert.ok(after.every((id) => !before.includes(id)))
    await world.deploy([restarted, worker])
    assert.deepEqual([await world.ids('web'), await world.ids('worker')], [after, kept])
  })

  scenario(
    'a removed app has no process left; removing it again, or one that never was, does no harm',
    async (world) => {
      await world.deploy([world.type('web', [sleep], { count: 2 })])
      await world.remove()
      assert.deepEqual(await world.ids(), [])
      assert.deepEqual(await world.holders(), [])
      await world.remove()
      await world.harness.engine.remove(appOwner('never-was'), { volumes: true }, world.control())
    },
  )

  scenario('a copy that leaves is replaced, and only one-offs are simply stopped', async (world) => {
    const types = [world.type('web', [sleep], { count: 2 })]
    await world.deploy(types)
    const [stopped, other] = await world.ids()
    await world.deploy(types, {}, world.control(), { leaving: [stopped!] })
    const after = await world.processes()
    assert.deepEqual([after.length, after.every(({ status }) => status === 'running')], [2, true])
    assert.deepEqual(
      [after.some(({ id }) => id === stopped), after.some(({ id }) => id === other)],
      [false, true],
    )
    const { engine } = world.harness
    await assert.rejects(engine.stop(other!, world.control()), hasCode('conflict'))
    await assert.rejects(engine.stop('PZZZZZZZZZZ', world.control()), hasCode('not-found'))
  })
}

/** What a process is given beside its image, and what a change of it does. */
function containerScenarios(scenario: Scenario): void {
  const about = { kind: 'config', name: 'app', mode: 0o640 } as const
  const config = fileMount('/etc/shop/deep/app.conf', 'colour=red', about)

  scenario('a process reads its files, with their modes, wherever they are', async (world) => {
    const secret = fileMount('/run/secrets/key', 'hunter2', { mode: 0o400 })
    const steps = [read(config.path), read(secret.path), sleep]
    await world.deploy([world.type('web', steps, { files: [config, secret] })])
    await world.sees('640 colour=red')
    await world.sees('400 hunter2')
  })

  scenario('a one-off and a release command have the files of their type', async (world) => {
    const files = [config]
    const releaseCommand = world.command([read(config.path), exit(0)])
    await world.deploy([world.type('web', [sleep], { files, releaseCommand })])
    await world.sees('640 colour=red')
    const seen = collectTerminal()
    const { exit: ended } = await world.run([read(config.path)], seen.terminal, {}, undefined, { files })
    assert.equal(await ended, 0)
    assert.equal(seen.stdout(), '640 colour=red\n')
  })

  scenario('a changed secret replaces the copies that have it, and those alone', async (world) => {
    const types = (content: string) => [
      world.type('web', [read('/run/secrets/key'), sleep], {
        files: [fileMount('/run/secrets/key', content)],
      }),
      world.type('worker', [sleep]),
    ]
    await world.deploy(types('first'))
    const [web, worker] = [await world.ids('web'), await world.ids('worker')]
    await world.deploy(types('first'))
    assert.deepEqual(await world.ids('web'), web)
    const receipt = await world.deploy(types('second'), { release: 'RBBBBBBBBBB' })
    assert.deepEqual(receipt.replaced, ['web'])
    await world.sees('444 second')
    assert.ok((await world.ids('web')).every((id) => !web.includes(id)))
    assert.deepEqual(await world.ids('worker'), worker)
  })

  scenario('files survive a crash of their process', async (world) => {
    // Longer than an engine looks at a copy without ports before it calls it healthy.
    const steps = [read(config.path), pause(7000), exit(1)]
    await world.deploy([world.type('worker', steps, { files: [config] })])
    const twice = async () => (await world.lines({})).length >= 2
    await until(twice, { deadlineMs: world.patient(), what: 'a second start' })
    assert.ok((await world.lines({})).every(({ text }) => text === '640 colour=red'))
  })

  scenario('the replacement of a dependency replaces those that restart with it, once', async (world) => {
    const types = (text: string, overrides: Partial<ProcessPlan> = {}) => [
      world.type('web', [sleep], { restartsWith: ['api'] }),
      world.type('api', [sleep], { restartsWith: ['db'] }),
      world.type('db', [print(text), sleep], overrides),
      world.type('worker', [sleep]),
    ]
    const idsOf = async () => ({
      web: await world.ids('web'),
      api: await world.ids('api'),
      db: await world.ids('db'),
      worker: await world.ids('worker'),
    })
    await world.deploy(types('one'))
    const before = await idsOf()
    const receipt = await world.deploy(types('two'), { release: 'RBBBBBBBBBB' })
    assert.deepEqual(receipt.replaced.toSorted(), ['api', 'db', 'web'])
    const after = await idsOf()
    assert.deepEqual(after.worker, before.worker)
    assert.ok([...after.web, ...after.api].every((id) => ![...before.web, ...before.api].includes(id)))
    await world.deploy(types('two'), { release: 'RBBBBBBBBBB' })
    assert.deepEqual(await idsOf(), after)
    // The engine's clock may be coarser than ours: a second later is later for both.
    await wait(1100)
    const restarted = types('two', { replaceBefore: new Date().toISOString() })
    const again = await world.deploy(restarted, { release: 'RBBBBBBBBBB' })
    assert.deepEqual([again.replaced.toSorted(), again.kept], [['api', 'db', 'web'], ['worker']])
    const settled = await idsOf()
    await world.deploy(restarted, { release: 'RBBBBBBBBBB' })
    assert.deepEqual(await idsOf(), settled)
  })

  scenario("labels of an app's own replace none of the engine's, and count as a change", async (world) => {
    const labels = { 'com.example.team': 'shop', 'com.rack.app': 'other', 'com.rack.type': 'other' }
    await world.deploy([world.type('web', [sleep], { labels })])
    const [running] = await world.processes('web')
    assert.deepEqual([running?.owner, running?.type], [world.owner, 'web'])
    const changed = { ...labels, 'com.example.team': 'till' }
    const receipt = await world.deploy([world.type('web', [sleep], { labels: changed })])
    assert.deepEqual(receipt.replaced, ['web'])
    assert.ok((await world.ids()).every((id) => id !== running?.id))
  })
}

function processScenarios(scenario: Scenario): void {
  scenario('processes are found by app, type and id', async (world) => {
    await world.deploy([world.type('web', [sleep], { count: 2 }), world.type('worker', [sleep])])
    const list = (filter: object) =>
      world.harness.engine.processes({ owner: world.owner, ...filter }, world.control())
    const [first] = await list({})
    assert.equal((await list({})).length, 3)
    assert.equal((await list({ type: 'web' })).length, 2)
    assert.deepEqual(
      (await list({ id: first!.id })).map(({ id }) => id),
      [first!.id],
    )
    assert.deepEqual(await list({ id: 'PZZZZZZZZZZ' }), [])
    const elsewhere = await world.harness.engine.processes(
      { owner: appOwner('no-such-app') },
      world.control(),
    )
    assert.deepEqual(elsewhere, [])
    const sampled = await list({ stats: true, type: 'worker' })
    assert.equal(typeof sampled[0]?.memoryPercent, 'number')
  })

  scenario('what running processes take is read, of one owner or of all', async (world) => {
    const { engine } = world.harness
    await world.deploy([world.type('web', [sleep], { count: 2 }), world.type('worker', [sleep])])
    const processes = await world.processes()
    const read = async () => await engine.usage({ owner: world.owner }, world.control())
    const [first, second] = [await read(), await read()]
    assert.deepEqual(first.map((usage) => usage.process).sort(), processes.map(({ id }) => id).sort())
    for (const before of first) {
      const after = second.find((usage) => usage.process === before.process)
      assert.ok(after && after.cpuSeconds >= before.cpuSeconds, 'it counts up')
      assert.ok(Date.parse(after.time) > Date.parse(before.time) - 1)
      const limit = processes.find(({ id }) => id === before.process)?.memoryBytes
      assert.equal(before.memoryLimitBytes, limit)
      assert.ok(before.memoryBytes > 0 && before.memoryBytes < (limit ?? 0), String(before.memoryBytes))
    }
    const all = new Set((await engine.usage({}, world.control())).map((usage) => usage.process))
    assert.ok(processes.every(({ id }) => all.has(id)))
    assert.deepEqual(await engine.usage({ owner: appOwner('no-such-app') }, world.control()), [])
  })

  scenario('a one-off is found by the operation that it is, while it runs', async (world) => {
    const { engine } = world.harness
    await world.deploy([world.type('web', [sleep])])
    const operation = makeId('O', randomBytes)
    const { process: running, exit: ended } = await world.run([sleep], null, { operation })
    const find = async (of: string) =>
      (await engine.processes({ owner: world.owner, operation: of, all: true }, world.control())).map(
        ({ id }) => id,
      )
    assert.deepEqual(await find(operation), [running.id])
    assert.deepEqual(await find(makeId('O', randomBytes)), [])
    await engine.stop(running.id, world.control())
    await ended
  })

  scenario('who watches hears of every app whose processes change, from the beginning on', async (world) => {
    const leaving = new AbortController()
    const heard = new Set<string | null>()
    const hears = async (key: string | null) =>
      await until(() => heard.has(key), { deadlineMs: world.patient(), what: `news of ${key}` })
    const watching = (async () => {
      for await (const owner of world.harness.engine.watch(world.control(leaving.signal)))
        heard.add(owner && ownerKey(owner))
    })()
    const ended = watching.catch(() => undefined)
    await hears(null)
    await world.deploy([world.type('web', [pause(7000), exit(3)])])
    await hears(world.app)
    heard.clear()
    await hears(world.app)
    const { exit: over } = await world.run([exit(0)], null)
    await over
    heard.clear()
    await world.harness.engine.remove(world.owner, { volumes: true }, world.control())
    await hears(world.app)
    leaving.abort(new RackError('cancelled', 'nobody watches any more'))
    await ended
  })

  scenario('a one-off gives its output and exit code, keeps its log, and is gone', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const seen = collectTerminal()
    const steps = [print('to stdout'), complain('to stderr'), exit(7)]
    const { process: running, exit: ended } = await world.run(steps, seen.terminal)
    assert.match(running.id, /^P[A-Z]{10}$/)
    assert.equal(running.kind, 'one-off')
    assert.equal(await ended, 7)
    assert.equal(seen.stdout(), 'to stdout\n')
    assert.equal(seen.stderr(), 'to stderr\n')
    const kept = await world.lines({ process: running.id })
    assert.deepEqual(kept.map(({ text }) => text).toSorted(), ['to stderr', 'to stdout'])
    assert.deepEqual(await world.types(), ['web'])
  })

  scenario('a one-off reads what is typed until it ends', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const bytes = Buffer.from([0, 1, 2, 250, 255, 10, 104, 105])
    const seen = collectTerminal([bytes.subarray(0, 3), bytes.subarray(3)])
    const { exit: ended } = await world.run([echo], seen.terminal)
    assert.equal(await ended, 0)
    assert.deepEqual(seen.bytes('stdout'), bytes)
  })

  scenario('a one-off without a terminal runs on its own, and shows among the processes', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const { process: running, exit: ended } = await world.run([pause(1000), print('done'), exit(0)], null)
    const [shown] = await world.harness.engine.processes({ id: running.id }, world.control())
    assert.equal(shown?.kind, 'one-off')
    assert.equal(await ended, 0)
    assert.deepEqual(
      (await world.lines({ process: running.id })).map(({ text }) => text),
      ['done'],
    )
  })

  scenario('a one-off that runs too long is ended', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const { exit: ended } = await world.run([sleep], null, { timeoutMs: 500 })
    assert.notEqual(await ended, 0)
    assert.deepEqual(await world.types(), ['web'])
  })

  scenario('a lost client ends its attached one-off', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const client = new AbortController()
    const { exit: ended } = await world.run(
      [sleep],
      collectTerminal([], { open: true }).terminal,
      {},
      client.signal,
    )
    client.abort()
    await Promise.allSettled([ended])
    await until(async () => (await world.processes()).every(({ kind }) => kind === 'process'), {
      deadlineMs: world.patient(),
      what: 'the one-off to end',
    })
  })

  scenario('exec gives input, output and exit code; an unknown process is not found', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const [id] = await world.ids()
    const {
      harness: { engine },
      command,
    } = world
    const typed = Buffer.from([104, 105, 10, 0, 255])
    const cat = collectTerminal([typed])
    assert.equal(await engine.exec(id!, command([echo]), cat.terminal, world.control()), 0)
    assert.deepEqual(cat.bytes('stdout'), typed)
    const failing = collectTerminal()
    const steps = command([print('out'), complain('err'), exit(9)])
    assert.equal(await engine.exec(id!, steps, failing.terminal, world.control()), 9)
    assert.deepEqual([failing.stdout(), failing.stderr()], ['out\n', 'err\n'])
    const nowhere = engine.exec('PZZZZZZZZZZ', steps, collectTerminal().terminal, world.control())
    await assert.rejects(nowhere, hasCode('not-found'))
    assert.deepEqual(await world.ids(), [id], 'the process is as it was')
    const client = new AbortController()
    const lasting = engine.exec(id!, command([sleep]), collectTerminal([], { open: true }).terminal, {
      ...world.control(client.signal),
    })
    client.abort()
    await withDeadline({ deadlineMs: world.patient(60_000), what: 'exec to end' }, () =>
      Promise.allSettled([lasting]),
    )
  })
}

function logScenarios(scenario: Scenario): void {
  scenario(
    'logs come by type, process and stream, and the newest N lines',
    async (world) => {
      await world.deploy([
        world.type('web', [print('one'), print('two'), complain('three'), sleep]),
        world.type('worker', [print('work'), sleep]),
      ])
      await world.sees('three')
      await world.sees('work')
      const web = await world.lines({ types: ['web'] })
      assert.deepEqual(web.map(({ text }) => text).toSorted(), ['one', 'three', 'two'])
      assert.equal(web.find(({ text }) => text === 'three')?.stream, 'stderr')
      assert.equal(web.find(({ text }) => text === 'one')?.stream, 'stdout')
      const [id] = await world.ids('worker')
      const work = await world.lines({ process: id! })
      assert.deepEqual(
        work.map(({ text, type, owner, release }) => [text, type, owner, release]),
        [['work', 'worker', world.owner, 'RAAAAAAAAAA']],
      )
      assert.match(work[0]!.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
      assert.equal((await world.lines({ types: ['web'], tail: 2 })).length, 2)
      assert.deepEqual(
        (await world.lines({ tail: 1, types: ['worker'] })).map(({ text }) => text),
        ['work'],
      )
      assert.deepEqual(await world.lines({ tail: 0 }), [])
    },
    ['separateLogStreams'],
  )

  scenario('logs since a time begin at that time', async (world) => {
    await world.deploy([world.type('web', [print('early'), pause(1000), print('late'), sleep])])
    const late = await world.sees('late')
    const texts = (await world.lines({ since: late.time })).map(({ text }) => text)
    assert.deepEqual(texts, ['late'])
    assert.deepEqual(
      (await world.lines({})).map(({ text }) => text),
      ['early', 'late'],
    )
  })

  scenario('logs survive the process', async (world) => {
    await world.deploy([world.type('web', [print('from the old one'), sleep])])
    await world.deploy([world.type('web', [print('from the new one'), sleep])], { release: 'RBBBBBBBBBB' })
    await world.sees('from the new one')
    const lines = await world.lines({})
    assert.deepEqual(
      lines.map(({ text, release }) => [text, release]),
      [
        ['from the old one', 'RAAAAAAAAAA'],
        ['from the new one', 'RBBBBBBBBBB'],
      ],
    )
  })

  scenario('following logs gives what comes later, and ends with the signal', async (world) => {
    await world.deploy([world.type('web', [print('first'), sleep])])
    await world.sees('first')
    const end = new AbortController()
    const texts: string[] = []
    const query = { owner: world.owner, follow: true }
    const following = (async () => {
      for await (const { text } of world.harness.engine.logs(query, world.control(end.signal)))
        texts.push(text)
    })()
    await until(() => texts.length === 1, { deadlineMs: world.patient(), what: 'the line that was there' })
    const { exit: ended } = await world.run([print('second'), exit(0)], null)
    await ended
    await until(() => texts.length === 2, { deadlineMs: world.patient(), what: 'the line that came later' })
    end.abort()
    await following
    assert.deepEqual(texts, ['first', 'second'])
  })
}

function rackScenarios(scenario: Scenario): void {
  scenario('capacity counts what runs, and gives it back', async (world) => {
    const each = { cpuUnits: 96, memoryBytes: 24 * 1024 * 1024 }
    await world.deploy([world.type('web', [sleep], { count: 3, ...each })])
    assert.deepEqual(await world.holders(), [
      { owner: world.owner, type: 'web', kind: 'process', count: 3, each },
    ])
    const { exit: ended } = await world.run([pause(1000), exit(0)], null, {}, undefined, each)
    const kinds = (await world.holders()).map(({ kind, count }) => `${kind} ${count}`)
    assert.deepEqual(kinds.toSorted(), ['one-off 1', 'process 3'])
    await ended
    assert.equal((await world.holders()).length, 1)
    const { total, reserved, free, instances } = await world.harness.engine.capacity(world.control())
    assert.equal(free.cpuUnits, total.cpuUnits - reserved.cpuUnits)
    assert.equal(free.memoryBytes, total.memoryBytes - reserved.memoryBytes)
    const sum = (pick: (instance: Instance) => Resources) =>
      instances.reduce((all, instance) => addResources(all, pick(instance)), noResources)
    assert.deepEqual([sum((instance) => instance.total), sum((instance) => instance.free)], [total, free])
    assert.equal(new Set(instances.map(({ id }) => id)).size, instances.length)
  })

  scenario('an engine says what it is, and where a plan is reached', async (world) => {
    const { engine } = world.harness
    const { name, version } = await engine.about(world.control())
    assert.match(name, /^[a-z]+$/)
    assert.match(version, /^\d/)
    const external = { ...internalPort(8080), external: 5432 }
    const port: Port = { ...internalPort(8080), external: 80, protocol: 'http' }
    const types = [
      world.type('web', [sleep], { hosts: ['shop.localhost'], ports: [port] }),
      world.type('db', [sleep], { ports: [external] }),
    ]
    const [web, db, ...more] = engine.endpoints(world.plan(types, {}))
    assert.deepEqual([web?.process, web?.scheme, web?.host], ['web', 'http', 'shop.localhost'])
    assert.deepEqual([db?.process, db?.scheme, db?.port], ['db', external.protocol, 5432])
    assert.deepEqual(more, [])
    await assert.rejects(engine.about(world.control(AbortSignal.abort())))
  })

  scenario('an aborted control ends a call at once', async (world) => {
    const control = world.control(AbortSignal.abort())
    await assert.rejects(world.harness.engine.capacity(control))
    await assert.rejects(world.deploy([world.type('web', [sleep])], {}, control))
    assert.deepEqual(await world.ids(), [])
  })
}

function sweepScenarios(scenario: Scenario): void {
  scenario(
    'images go out, and come in by the references that they had; one that is gone is told',
    async (world) => {
      const { engine, image } = world.harness
      const control = world.control()
      await world.deploy([world.type('web', [sleep])])
      const chunks: Uint8Array[] = []
      const out = async (chunk: Uint8Array) => void chunks.push(chunk)
      await engine.saveImages({ references: [image], named: true }, out, control)
      assert.ok(chunks.length > 0)
      const open = async function* () {
        yield* chunks
      }
      const app = world.owner.name
      const load = async (named: NamedImage) =>
        await engine.loadImages({ open, of: { app, images: [named] } }, control)
      const own = { reference: image, digest: await savedDigest(image, open()) }
      for (let time = 0; time < 2; time++) {
        const called = [...(await load(own))]
        assert.deepEqual(
          called.map(([there]) => there),
          [image],
        )
        assert.equal((await engine.imagesHere([called[0]![1]], control)).size, 1)
      }
      const another = `sha256:${'e'.repeat(64)}`
      await assert.rejects(load({ reference: another, digest: another }), hasCode('invalid'))
      await world.deploy([world.type('web', [sleep]), world.type('other', [sleep])])
      const gone = `sha256:${'d'.repeat(64)}`
      await assert.rejects(
        engine.saveImages({ references: [image, gone], named: false }, out, control),
        hasCode('image-unavailable'),
      )
      assert.deepEqual(await engine.imagesHere([image, gone], control), new Set([image]))
      const named = (reference: string) => {
        const built = {
          reference,
          digest: reference,
          exposed: [],
          link: {},
          user: null,
          healthcheck: null,
          volumes: [],
        }
        return {
          app: `${world.owner.name}-moved`,
          build: 'BAAAAAAAAAA',
          images: { web: { ...noSettings, ...built } },
        }
      }
      await engine.nameImages(named(image), control)
      await engine.nameImages(named(image), control)
      await assert.rejects(engine.nameImages(named(gone), control), hasCode('image-unavailable'))
      for (const references of [[], [image, gone]])
        await engine.forgetImages(`${world.owner.name}-moved`, references, control)
      assert.deepEqual(await engine.imagesHere([image], control), new Set([image]))
    },
  )

  scenario('a sweep leaves what is to be kept as it is, and takes the rest', async (world) => {
    await using other = openWorld(world.harness)
    await world.deploy([world.type('web', [print('still here'), sleep], { count: 2 })])
    await world.sees('still here')
    await other.deploy([other.type('web', [sleep])])
    const [kept, { engine, image }] = [await world.ids(), world.harness]
    const keep = { owners: [world.owner], images: [image], buildCache: false, volumes: false }
    const swept = await engine.sweep(keep, world.control())
    assert.ok(swept.containers >= 1)
    assert.deepEqual(await other.ids(), [])
    assert.deepEqual(await world.ids(), kept)
    assert.ok((await world.processes()).every(({ status }) => status === 'running'))
    assert.equal((await world.lines({})).length, 2)
    const again = await engine.sweep(keep, world.control())
    assert.equal(again.containers, 0)
  })
}

/** One app of its own for one scenario, or another owner, removed after it. */
export function openWorld(
  harness: EngineHarness,
  owner = appOwner(`app-${Math.random().toString(36).slice(2, 10)}`),
) {
  const { engine, rack, image, slowness = 1 } = harness
  const app = owner.name
  const deadline = startDeadline({ deadlineMs: 55_000 * slowness, what: 'a scenario' })
  const control = (signal: AbortSignal = deadline.signal): Control => ({ signal, report: () => {} })
  const command = (steps: Step[]) => harness.command(steps)
  const patient = (ms = patienceMs) => ms * slowness

  const type = (name: string, steps: Step[], overrides: Partial<ProcessPlan> = {}): ProcessPlan => ({
    ...plainProcess(name, image),
    command: command(steps),
    ...overrides,
  })
  const plan = (processes: ProcessPlan[], overrides: Partial<Plan>): Plan => ({
    rack,
    owner,
    release: 'RAAAAAAAAAA',
    build: 'BAAAAAAAAAA',
    volumes: [],
    processes,
    ...overrides,
  })
  const processes = async (name?: string) =>
    await engine.processes({ owner, ...(name ? { type: name } : {}) }, control())
  const lines = async (query: Omit<LogQuery, 'owner' | 'follow'>) =>
    await Array.fromAsync(engine.logs({ ...query, owner, follow: false }, control()))
  const deploy = async (
    types: ProcessPlan[],
    overrides: Partial<Plan> = {},
    own = control(),
    change: Partial<Change> = {},
  ) => await deployPlan(engine, plan(types, overrides), own, change)

  return {
    harness,
    app,
    owner,
    control,
    /** How long a wait may take here that takes so long where a copy is one container, ms. */
    patient,
    command,
    type,
    plan,
    deploy,
    processes,
    lines,
    ids: async (name?: string) => (await processes(name)).map(({ id }) => id).sort(),
    types: async () => (await processes()).map(({ type: each }) => each).sort(),
    holders: async () =>
      (await engine.capacity(control())).holders.filter((holder) => isSameOwner(holder.owner, owner)),
    volumes: async (filter: VolumeFilter = {}) => await engine.volumes({ owner, ...filter }, control()),
    remove: async () => await engine.remove(owner, { volumes: true }, control()),

    /** Ports and a quick check for a type whose probes are of interest. */
    probed: (health: Partial<ProcessPlan['health']>): Partial<ProcessPlan> => ({
      ports: [internalPort(8080)],
      internalPorts: [8080],
      health: { ...quickHealth, ...health },
    }),

    /** Waits for a line of the app's log. */
    sees: async (text: string) =>
      await until(async () => (await lines({})).find((line) => line.text === text), {
        deadlineMs: patient(),
        what: `the line "${text}"`,
      }),

    build: async (images: ImageRequest[], files: Record<string, string>, deadlineMs = patient()) =>
      await engine.build(
        {
          app,
          build: makeId('B', randomBytes),
          images,
          source: () => packTar(Object.entries(files).map(([name, content]) => ({ name, content }))),
          environment: {},
          noCache: false,
          deadlineMs,
        },
        control(),
      ),

    /** What port 8080 of a type answers to an HTTP request from inside the app. */
    async asks(host: string): Promise<string> {
      const stream = await engine.connect({ owner, host, port: 8080 }, control())
      await stream.input(Buffer.from('GET / HTTP/1.0\r\n\r\n'))
      const answer = Buffer.concat(await Array.fromAsync(stream.output)).toString()
      stream.close()
      return answer
    },

    async failsToDeploy(
      types: ProcessPlan[],
      overrides: Partial<Plan> = {},
      change: Partial<Change> = {},
    ): Promise<CopyFailure[]> {
      const error = await rejection(deploy(types, overrides, control(), change))
      assert.equal(error.code, 'deploy-failed', error.message)
      assert.ok(error.hint, 'a failed deploy says what to do')
      return error.details as CopyFailure[]
    },

    async run(
      steps: Step[],
      terminal: Parameters<Engine['run']>[1],
      overrides: Partial<OneOff> = {},
      signal?: AbortSignal,
      each: Partial<ProcessPlan> = {},
    ) {
      const oneOff = {
        owner,
        release: 'RAAAAAAAAAA',
        process: type('web', [sleep], each),
        command: command(steps),
      }
      return await engine.run(
        { ...oneOff, kind: 'one-off', operation: makeId('O', randomBytes), timeoutMs: null, ...overrides },
        terminal,
        control(signal),
      )
    },

    async [Symbol.asyncDispose]() {
      deadline[Symbol.dispose]()
      const cleanup = startDeadline({ deadlineMs: patient(60_000), what: 'the removal of a scenario' })
      await engine.remove(owner, { volumes: true }, control(cleanup.signal))
      cleanup[Symbol.dispose]()
    },
  }
}

export type World = ReturnType<typeof openWorld>

const quickHealth: ProcessPlan['health'] = {
  path: null,
  host: null,
  port: null,
  intervalMs: 200,
  timeoutMs: 200,
  graceMs: 500,
  healthyThreshold: 1,
  unhealthyThreshold: 2,
  replacement: usualReplacement,
}

const internalPort = (container: number): Port => ({
  external: null,
  container,
  protocol: 'tcp',
  proxy: false,
  secure: false,
})

/** Enough for a copy that needs nothing. */
function plainProcess(type: string, image: string): ProcessPlan {
  const health = { ...quickHealth, graceMs: 10_000 }
  return processPlan({ type, image, health, cpuUnits: 64, memoryBytes: 32 * 2 ** 20 })
}

async function rejection(work: Promise<unknown>): Promise<RackError> {
  const error = await work.then(
    () => assert.fail('it went through'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof RackError, String(error))
  return error
}

export function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RackError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  }
}
