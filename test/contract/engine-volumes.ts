import assert from 'node:assert/strict'
import type { VolumeMount } from '../../src/domain/container.ts'
import type { VolumeFilter } from '../../src/domain/volume.ts'
import { exit, pause, print, sleep } from '../support/behaviour.ts'
import { hasCode, type Scenario } from './engine.ts'

const mount: VolumeMount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false }
const mounts = { mounts: [mount], stopFirst: true }

type World = Parameters<Parameters<Scenario>[1]>[0]

const list = async ({ harness, app, control }: World, filter: VolumeFilter = {}) =>
  await harness.engine.volumes({ app, ...filter }, control())

const remove = async ({ harness, app, control }: World, name = 'data') =>
  await harness.engine.removeVolume(app, name, control())

/** What becomes of the data of an app. */
export function volumeScenarios(scenario: Scenario): void {
  scenario('a deploy makes the volumes of its plan, and they say who has them', async (world) => {
    await world.deploy([world.type('db', [sleep], mounts)], { volumes: ['data', 'spare'] })
    const [data, spare, ...more] = await list(world)
    assert.deepEqual(more, [])
    assert.deepEqual([data?.app, data?.name, spare?.name], [world.app, 'data', 'spare'])
    const [db] = await world.processes('db')
    assert.deepEqual(data?.holders, [{ process: db?.id, type: 'db', kind: 'process' }])
    assert.deepEqual(spare?.holders, [])
    assert.ok(Math.abs(Date.now() - Date.parse(data?.created ?? '')) < 60_000, data?.created ?? 'never')
    assert.deepEqual(
      (await list(world, { name: 'spare' })).map(({ name }) => name),
      ['spare'],
    )
    const everywhere = await world.harness.engine.volumes({}, world.control())
    assert.ok(everywhere.some(({ app, name }) => app === world.app && name === 'data'))
  })

  scenario('volumes are measured only when they are asked to be', async (world) => {
    await world.deploy([world.type('db', [sleep], mounts)], { volumes: ['data'] })
    assert.deepEqual(
      (await list(world)).map(({ bytes }) => bytes),
      [null],
    )
    const [measured] = await list(world, { sizes: true })
    assert.equal(typeof measured?.bytes, 'number')
    const both = await Promise.all([list(world, { sizes: true }), list(world, { sizes: true })])
    assert.deepEqual(
      both.map(([volume]) => volume?.bytes),
      [measured?.bytes, measured?.bytes],
    )
  })

  scenario(
    'a volume stays while its app is replaced and removed, and goes when it is told to',
    async (world) => {
      await world.deploy([world.type('db', [sleep], mounts)], { volumes: ['data'] })
      const [{ created } = { created: null }] = await list(world)
      await world.deploy([world.type('db', [print('two'), sleep], mounts)], {
        volumes: ['data'],
        release: 'RBBBBBBBBBB',
      })
      await world.harness.engine.remove(world.app, { volumes: false }, world.control())
      const [left] = await list(world)
      assert.deepEqual([left?.created, left?.holders], [created, []])
      await remove(world)
      assert.deepEqual(await list(world), [])
      await assert.rejects(remove(world), hasCode('not-found'))
    },
  )

  scenario('a volume that a process has is not removed, and the refusal names who', async (world) => {
    await world.deploy([world.type('db', [sleep], mounts)], { volumes: ['data'] })
    const [db] = await world.processes('db')
    await assert.rejects(remove(world), (error: Error) => {
      assert.ok(hasCode('conflict')(error))
      assert.ok(error.message.toUpperCase().includes(db?.id ?? ''), error.message)
      return true
    })
    assert.equal((await list(world)).length, 1)
    await world.deploy([world.type('db', [sleep])], { release: 'RBBBBBBBBBB' })
    await remove(world)
    await assert.rejects(remove(world, 'another'), hasCode('not-found'))
  })

  scenario("a one-off makes a volume that is not there, as one of the app's", async (world) => {
    await world.deploy([world.type('web', [sleep])])
    const { process, exit: ended } = await world.run([pause(1500), exit(0)], null, {}, undefined, mounts)
    const [data] = await list(world)
    assert.deepEqual(
      [data?.name, data?.holders],
      ['data', [{ process: process.id, type: 'web', kind: 'one-off' }]],
    )
    await ended
    assert.deepEqual((await list(world))[0]?.holders, [])
  })
}
