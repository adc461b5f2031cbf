import assert from 'node:assert/strict'
import type { VolumeMount } from '../../src/domain/container.ts'
import { isSameOwner } from '../../src/domain/owner.ts'
import type { VolumeFilter } from '../../src/domain/volume.ts'
import { exit, pause, print, sleep } from '../support/behaviour.ts'
import type { FileOwner } from '../../src/domain/engine.ts'
import { pulled } from '../../src/lib/pulled.ts'
import { readTar } from '../../src/lib/tar.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { hasCode, type Scenario } from './engine.ts'

const mount: VolumeMount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false }
const mounts = { mounts: [mount], stopFirst: true }

type World = Parameters<Parameters<Scenario>[1]>[0]

const list = async (world: World, filter: VolumeFilter = {}) => await world.volumes(filter)

const remove = async ({ harness, owner, control }: World, name = 'data') =>
  await harness.engine.removeVolume(owner, name, control())

/** What becomes of the data of an app. */
export function volumeScenarios(scenario: Scenario): void {
  scenario('a deploy makes the volumes of its plan, and they say who has them', async (world) => {
    await world.deploy([world.type('db', [sleep], mounts)], { volumes: ['data', 'spare'] })
    const [data, spare, ...more] = await list(world)
    assert.deepEqual(more, [])
    assert.deepEqual([data?.owner, data?.name, spare?.name], [world.owner, 'data', 'spare'])
    const [db] = await world.processes('db')
    assert.deepEqual(data?.holders, [{ process: db?.id, type: 'db', kind: 'process' }])
    assert.deepEqual(spare?.holders, [])
    assert.ok(Math.abs(Date.now() - Date.parse(data?.created ?? '')) < 60_000, data?.created ?? 'never')
    assert.deepEqual(
      (await list(world, { name: 'spare' })).map(({ name }) => name),
      ['spare'],
    )
    const everywhere = await world.harness.engine.volumes({}, world.control())
    assert.ok(everywhere.some(({ owner, name }) => isSameOwner(owner, world.owner) && name === 'data'))
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
      await world.harness.engine.remove(world.owner, { volumes: false }, world.control())
      const [left] = await list(world)
      assert.deepEqual([left?.created, left?.holders], [created, []])
      await remove(world)
      assert.deepEqual(await list(world), [])
      await assert.rejects(remove(world), hasCode('not-found'))
    },
  )

  scenario(
    'a volume that went while its type was scaled to zero is made anew for the next copy',
    async (world) => {
      const db = (count: number) => world.type('db', [sleep], { ...mounts, count })
      const volumes = ['data']
      await world.deploy([db(1)], { volumes })
      await world.deploy([db(0)], { volumes })
      await remove(world)
      assert.deepEqual(await list(world), [])
      await world.deploy([db(1)], { volumes })
      const [running] = await world.processes('db')
      assert.equal(running?.status, 'running')
      const [data] = await list(world)
      assert.deepEqual(data?.holders, [{ process: running?.id, type: 'db', kind: 'process' }])
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
    const { process: oneOff, exit: ended } = await world.run(
      [pause(1500), exit(0)],
      null,
      {},
      undefined,
      mounts,
    )
    const [data] = await list(world)
    assert.deepEqual(
      [data?.name, data?.holders],
      ['data', [{ process: oneOff.id, type: 'web', kind: 'one-off' }]],
    )
    await ended
    assert.deepEqual((await list(world))[0]?.holders, [])
  })

  scenario('a volume goes out as a tar and into another one as it is, with no process', async (world) => {
    const { engine } = world.harness
    const control = world.control()
    const tar = tarOf([
      { name: 'volume', type: 'directory', mode: 0o750, uid: 999, gid: 998 },
      { name: 'volume/notes', type: 'directory', mode: 0o700, uid: 999, gid: 998 },
      { name: 'volume/notes/one', type: 'file', mode: 0o640, uid: 999, gid: 998, text: 'kept' },
    ])
    await engine.copyVolume(world.owner, 'data', { in: tar }, control)
    const first = await outOf(world, 'data')
    assert.deepEqual(
      first.map(({ name, mode, text }) => [name, mode, text]),
      [
        ['volume', 0o750, ''],
        ['volume/notes', 0o700, ''],
        ['volume/notes/one', 0o640, 'kept'],
      ],
    )
    const chunks: Uint8Array[] = []
    const out = async (chunk: Uint8Array) => void chunks.push(chunk)
    await engine.copyVolume(world.owner, 'data', { out }, control)
    await engine.copyVolume(world.owner, 'other', { in: streamOf(chunks) }, control)
    assert.deepEqual(await outOf(world, 'other'), first)
    assert.deepEqual(
      (await list(world)).map(({ name, holders }) => [name, holders]),
      [
        ['data', []],
        ['other', []],
      ],
    )
    await assert.rejects(engine.copyVolume(world.owner, 'none', { out }, control), hasCode('not-found'))
    await remove(world)
    await remove(world, 'other')
  })
}

interface TarFile extends FileOwner {
  name: string
  type: 'file' | 'directory'
  mode: number
  text?: string
}

async function* tarOf(files: TarFile[]): AsyncGenerator<Uint8Array> {
  for (const { text = '', ...file } of files) {
    const size = Buffer.byteLength(text)
    yield tarHead({ ...file, size, modified: new Date(0) })
    yield Buffer.from(text)
    yield tarPadding(size)
  }
  yield tarEnd()
}

/** What is in a volume; owners too, where the engine keeps any. */
async function outOf({ harness, owner, control }: World, name: string) {
  const stream = pulled<Uint8Array>((out) => harness.engine.copyVolume(owner, name, { out }, control()))
  const found: { name: string; mode: number; uid: number; gid: number; text: string }[] = []
  for await (const { header, content } of readTar(stream)) {
    const { mode, uid, gid } = header
    const text = Buffer.concat(await Array.fromAsync(content)).toString()
    found.push({ name: header.name.replace(/\/$/, ''), mode: mode & 0o777, uid, gid, text })
  }
  return found
}

async function* streamOf(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
