import assert from 'node:assert/strict'
import type { ReleaseCommands } from '../../src/domain/engine.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import { until } from '../../src/lib/poll.ts'
import { exit, pause, print, sleep, stopsWell, type Step } from '../support/behaviour.ts'
import type { Scenario, World } from './engine.ts'

const second = { release: 'RBBBBBBBBBB' }

/** What ends by itself, what is ended, and what may happen once only. */
export function endScenarios(scenario: Scenario): void {
  restartScenarios(scenario)
  releaseCommandScenarios(scenario)
}

const policies = [
  { restart: 'on-failure', feature: 'restartOnFailure' },
  { restart: 'no', feature: 'restartNever' },
] as const

function restartScenarios(scenario: Scenario): void {
  for (const { restart, feature } of policies) {
    scenario(
      `${restart}: what ends by itself with 0 is completed, and stays so`,
      async (world) => {
        const job = world.type('job', [print('once'), exit(0)], { restart })
        const web = (text: string) => world.type('web', [print(text), sleep])
        await world.deploy([job, web('one')])
        const [first, ...more] = await world.processes('job')
        assert.deepEqual([first?.status, first?.exitCode, more.length], ['completed', 0, 0])
        const receipt = await world.deploy([job, web('two')], second)
        assert.deepEqual([receipt.replaced, receipt.kept], [['web'], ['job']])
        const [again] = await world.processes('job')
        assert.deepEqual([again?.id, again?.status], [first?.id, 'completed'])
        assert.equal((await world.lines({ types: ['job'] })).length, 1, 'it ran once')
      },
      [feature],
    )

    scenario(
      `${restart}: what the rack has stopped comes back when its successor fails`,
      async (world) => {
        const volumes = ['data']
        const db = (last: Step) => world.type('db', [print('up'), stopsWell, last], { ...holdsData, restart })
        await world.deploy([db(sleep)], { volumes })
        const before = await world.ids('db')
        await world.failsToDeploy([db(exit(3))], { volumes, ...second })
        const isBack = async () => (await world.processes('db')).every(({ status }) => status === 'running')
        await until(isBack, { deadlineMs: world.patient(), what: 'the old db to run again' })
        assert.deepEqual(await world.ids('db'), before)
        // A plan that is live already finds nothing to do.
        const receipt = await world.deploy([db(sleep)], { volumes })
        assert.deepEqual([receipt.kept, await world.ids('db')], [['db'], before])
      },
      [feature],
    )
  }

  scenario(
    'on-failure: what fails is started again until it ends well',
    async (world) => {
      // Longer than an engine looks at a copy without ports before it calls it healthy.
      const steps: Step[] = [print('try'), { do: 'pause', ms: 3000 }, exit(1)]
      await world.deploy([world.type('job', steps, { restart: 'on-failure' })])
      const hasRestarted = async () => (await world.processes('job'))[0]!.restarts > 0
      await until(hasRestarted, { deadlineMs: world.patient(), what: 'a restart' })
      assert.equal((await world.ids('job')).length, 1)
    },
    ['restartOnFailure'],
  )
}

const holdsData: Partial<ProcessPlan> = {
  stopFirst: true,
  mounts: [{ kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false }],
}

function releaseCommandScenarios(scenario: Scenario): void {
  scenario('a release command that is due runs once, and its beginning and end are noted', async (world) => {
    const notes: string[] = []
    const note: ReleaseCommands['note'] = async (type, state) => void notes.push(`${type} ${state}`)
    const types = [migrating(world, [print('migrating'), exit(0)])]
    await world.deploy(types, {}, world.control(), { releaseCommands: { due: ['web'], begun: [], note } })
    assert.deepEqual(notes, ['web begun', 'web done'])
    // What was done is due no more, whatever else is changed.
    const later = types.map((type) => ({ ...type, count: 2 }))
    await world.deploy(later, {}, world.control(), { releaseCommands: { due: [], begun: [], note } })
    assert.deepEqual(notes, ['web begun', 'web done'])
    assert.deepEqual(await migrations(world), ['migrating'])
  })

  scenario(
    'a release command that was begun and is gone is lost, and never run a second time',
    async (world) => {
      await world.deploy([world.type('web', [sleep])])
      const before = await world.ids()
      const notes: string[] = []
      const note: ReleaseCommands['note'] = async (type, state) => void notes.push(`${type} ${state}`)
      const releaseCommands = { due: ['web'], begun: ['web'], note }
      const failures = await world.failsToDeploy([migrating(world, [print('migrating'), exit(0)])], second, {
        releaseCommands,
      })
      assert.deepEqual(
        failures.map(({ type, reason }) => [type, reason]),
        [['web', 'command-lost']],
      )
      assert.deepEqual([notes, await migrations(world)], [[], []])
      assert.deepEqual(await world.ids(), before)
    },
  )

  scenario('a release command that was begun and still runs is waited for', async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const steps = [print('migrating'), pause(1500), print('migrated'), exit(0)]
    const web = { ...migrating(world, steps), labels: { 'com.example.at': '2' } }
    // As a daemon that has died since has begun it.
    const about = { kind: 'release-command', process: web, command: web.releaseCommand!, ...second } as const
    const { exit: ended } = await world.run(steps, null, about)
    const notes: string[] = []
    const note: ReleaseCommands['note'] = async (type, state) => void notes.push(`${type} ${state}`)
    await world.deploy([web], second, world.control(), {
      releaseCommands: { due: ['web'], begun: ['web'], note },
    })
    assert.equal(await ended, 0)
    assert.deepEqual([notes, await migrations(world)], [['web done'], ['migrating', 'migrated']])
    assert.deepEqual(await world.types(), ['web'])
  })

  scenario(
    'a release command that fails is not noted as done, and not run again by the undo',
    async (world) => {
      const live = migrating(world, [print('migrating'), exit(0)])
      await world.deploy([live])
      const notes: string[] = []
      const note: ReleaseCommands['note'] = async (type, state) => void notes.push(`${type} ${state}`)
      const releaseCommands = { due: ['web'], begun: [], note }
      const failing = {
        ...migrating(world, [print('migrating back'), exit(5)]),
        labels: { 'com.example.at': '2' },
      }
      const failures = await world.failsToDeploy([failing], second, { releaseCommands })
      assert.deepEqual(
        failures.map(({ reason, exitCode }) => [reason, exitCode]),
        [['command-failed', 5]],
      )
      assert.deepEqual(notes, ['web begun'])
      assert.deepEqual(await migrations(world), ['migrating', 'migrating back'])
    },
  )
}

function migrating(world: World, steps: Step[]): ProcessPlan {
  return world.type('web', [sleep], { releaseCommand: world.command(steps) })
}

/** What release commands have printed. */
async function migrations(world: World): Promise<string[]> {
  return (await world.lines({ types: ['web'] })).map(({ text }) => text)
}
