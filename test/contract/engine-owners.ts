import assert from 'node:assert/strict'
import type { Owned } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import { exit, pause, print, serveText, sleep } from '../support/behaviour.ts'
import { hasCode, openWorld, type Scenario, type World } from './engine.ts'

const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const

/** An app and a service that have everything in common but what they are. */
export function ownerScenarios(scenario: Scenario): void {
  scenario('an app and a service of one name do not see each other', async (app) => {
    await using service = serviceBeside(app)
    await deployBoth(app, service)
    for (const [own, other] of [
      [app, service],
      [service, app],
    ] as const) {
      const [main, ...more] = await own.processes()
      assert.deepEqual([main?.owner, main?.type, main?.status], [own.owner, 'main', 'running'])
      assert.deepEqual(more, [])
      assert.ok(!(await other.ids()).includes(main!.id))
      assert.deepEqual(textsOf(await own.lines({})), [`log of the ${own.owner.kind}`])
      assert.match(await own.asks('main'), new RegExp(`the ${own.owner.kind}\n$`))
      await assert.rejects(own.asks((await other.ids())[0]!), hasCode('not-found'))
      assert.deepEqual(
        (await own.holders()).map(({ kind, count }) => [kind, count]),
        [['process', 1]],
      )
      assert.deepEqual(
        (await own.volumes()).map(({ owner, holders }) => [owner, holders.map((holder) => holder.process)]),
        [[own.owner, [main!.id]]],
      )
    }
  })

  scenario('what is asked of all names the owner of each', async (app) => {
    await using service = serviceBeside(app)
    await deployBoth(app, service)
    const { engine } = app.harness
    const ours = (all: Owned[]) =>
      all.filter(({ owner }) => owner.name === app.app).map(({ owner }) => owner.kind)
    assert.deepEqual(ours(await engine.processes({}, app.control())), ['app', 'service'])
    assert.deepEqual(ours(await engine.volumes({}, app.control())), ['app', 'service'])
    const lines = await Array.fromAsync(engine.logs({ follow: false }, app.control()))
    assert.deepEqual(ours(lines).sort(), ['app', 'service'])
  })

  scenario('a deploy of an app leaves the service of its name as it is, routes too', async (app) => {
    await using service = serviceBeside(app)
    const [doors, { harness }] = [await deployBoth(app, service), app]
    const [kept, replaced] = [await service.ids(), await app.ids()]
    await app.deploy([mainOf(app, { ...served(doors.app), environment: { COLOUR: 'blue' } })], {
      volumes: ['data'],
      release: 'RBBBBBBBBBB',
    })
    assert.ok(!replaced.includes((await app.ids())[0]!))
    assert.deepEqual(await service.ids(), kept)
    const answers = [await harness.visit(String(doors.app)), await harness.visit(String(doors.service))]
    assert.deepEqual(
      answers.map((answer) => answer?.text),
      ['the app', 'the service'],
    )
  })

  scenario('an app that is removed with its data takes nothing of the service along', async (app) => {
    await using service = serviceBeside(app)
    const [doors, { harness }] = [await deployBoth(app, service), app]
    const [{ created } = { created: null }] = await service.volumes()
    const kept = await service.ids()
    await app.remove()
    assert.deepEqual([await app.ids(), await app.volumes(), await app.lines({})], [[], [], []])
    assert.equal(await harness.visit(String(doors.app)), null)
    assert.deepEqual(await service.ids(), kept)
    assert.deepEqual(textsOf(await service.lines({})), ['log of the service'])
    assert.deepEqual(
      (await service.volumes()).map((volume) => volume.created),
      [created],
    )
    assert.equal((await harness.visit(String(doors.service)))?.text, 'the service')
    assert.match(await service.asks('main'), /the service\n$/)
  })

  scenario("a service's one-off is the service's", async (app) => {
    await using service = serviceBeside(app)
    await deployBoth(app, service)
    const { process: oneOff, exit: ended } = await service.run([print('dump'), pause(1000), exit(0)], null)
    assert.deepEqual(oneOff.owner, service.owner)
    assert.equal((await app.ids()).length, 1)
    assert.ok((await service.ids()).includes(oneOff.id))
    assert.equal(await ended, 0)
    assert.deepEqual(textsOf(await service.lines({ process: oneOff.id })), ['dump'])
    assert.deepEqual(await app.lines({ process: oneOff.id }), [])
  })

  scenario('a kind of service that nobody runs for the engine is refused', async (world) => {
    const { engine } = world.harness
    const size = { cpuUnits: 256, memoryBytes: 2 ** 28 }
    const managed = { name: world.app, kind: 'abacus', version: '1', password: 'secret', ...size, logins: [] }
    assert.ok(!engine.features.managedServices.includes(managed.kind))
    await assert.rejects(engine.provision(managed, world.control()), hasCode('unsupported'))
    await assert.rejects(engine.reboot(managed, world.control()), hasCode('unsupported'))
    await engine.deprovision(managed, world.control())
    await engine.deprovision(managed, world.control())
  })
}

/** Alone: a sweep takes all that it is not told to keep. */
export function ownerSweepScenarios(scenario: Scenario): void {
  scenario(
    'a sweep that keeps an app takes the service of its name, and the other way round',
    async (app) => {
      await using service = serviceBeside(app)
      const { engine, image } = app.harness
      const about = { images: [image], buildCache: false, volumes: true }
      await deployBoth(app, service)
      const kept = await service.ids()
      await engine.sweep({ owners: [service.owner], ...about }, app.control())
      assert.deepEqual([await app.ids(), await app.volumes()], [[], []])
      assert.deepEqual([await service.ids(), (await service.volumes()).length], [kept, 1])
      await engine.sweep({ owners: [app.owner], ...about }, app.control())
      assert.deepEqual([await service.ids(), await service.volumes()], [[], []])
    },
  )
}

/** The world of a service that is called as an app is. */
function serviceBeside({ harness, app }: World): World {
  return openWorld(harness, { kind: 'service', name: app })
}

/** The same type, at an external port of its own, with a volume of the same name. */
async function deployBoth(app: World, service: World): Promise<{ app: number; service: number }> {
  const doors = { app: await app.harness.externalPort(), service: await app.harness.externalPort() }
  for (const world of [app, service]) {
    await world.deploy([mainOf(world, served(doors[world.owner.kind]))], { volumes: ['data'] })
    await world.sees(`log of the ${world.owner.kind}`)
  }
  return doors
}

function mainOf(world: World, overrides: Partial<ProcessPlan>): ProcessPlan {
  const { kind } = world.owner
  const steps = [print(`log of the ${kind}`), serveText(8080, `the ${kind}`), sleep]
  return world.type('main', steps, { mounts: [mount], stopFirst: true, drainTimeoutMs: 500, ...overrides })
}

function served(external: number): Partial<ProcessPlan> {
  const port = { external, container: 8080, protocol: 'tcp', proxy: false, secure: false } as const
  return { ports: [port], internalPorts: [8080] }
}

function textsOf(lines: { text: string }[]): string[] {
  return lines.map(({ text }) => text)
}
