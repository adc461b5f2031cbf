import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OperationsRoom } from '../../src/operations/create-operations.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import { pulled } from '../../src/lib/pulled.ts'
import { readTar } from '../../src/lib/tar.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'
import { serviceRun } from '../support/service-run.ts'

const owner = { kind: 'service', name: 'main' } as const

async function* tarOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  yield tarHead({ name: 'volume/text', type: 'file', mode: 0o600, size: bytes.length, modified: new Date(0) })
  yield bytes
  yield tarPadding(bytes.length)
  yield tarEnd()
}

/** A service of an image that nobody knows, with a volume. */
async function withService(rack: MemoryRack): Promise<OperationsRoom> {
  const { engine, store } = rack
  const build = engine.build.bind(engine)
  engine.build = async (request, own) => {
    const built = await build(request, own)
    return Object.fromEntries(
      Object.entries(built).map(([type, one]) => [type, { ...one, volumes: ['/data'], command: ['serve'] }]),
    )
  }
  const run = serviceRun()
  await store.services.create(
    { name: 'main', type: 'image', status: 'running', run },
    imageAddress('main', run),
  )
  await write(rack, 'first')
  return await daemon(rack)
}

const daemon = async (rack: MemoryRack): Promise<OperationsRoom> => {
  const room = await rack.restart()
  await room.recover(rack.control)
  return room
}

const write = async ({ engine, control }: MemoryRack, text: string, volume = 'data') =>
  await engine.copyVolume(owner, volume, { in: tarOf(text) }, control)

/** Its volumes, what is in the one that it runs on, and how many copies run. */
async function state({ engine, store, control }: MemoryRack, name = 'main') {
  const of = { kind: 'service', name } as const
  const volumes = (await engine.volumes({ owner: of }, control)).map((volume) => volume.name)
  const { generation = 1 } = (await store.services.run(name))!
  const volume = generation === 1 ? 'data' : `data.${generation}`
  const stream = pulled<Uint8Array>((out) => engine.copyVolume(of, volume, { out }, control))
  let text = ''
  for await (const { content } of readTar(stream))
    text += Buffer.concat(await Array.fromAsync(content)).toString()
  return { volumes, text, running: (await engine.processes({ owner: of }, control)).length }
}

test('the files of a service are taken while it is stopped, and put back into a new volume', async () => {
  await using rack = await startMemoryRack()
  const { engine, control } = rack
  const operations = (await withService(rack)).operations.as(tester)
  const copyVolume = engine.copyVolume.bind(engine)
  const running: number[] = []
  engine.copyVolume = async (...call) => {
    running.push((await engine.processes({ owner }, control)).length)
    await copyVolume(...call)
  }
  const { id, version, port, parts } = await operations.backupService('main', 'asked', control)
  engine.copyVolume = copyVolume
  assert.deepEqual(
    [running, version, port, parts.map(({ name }) => name)],
    [[0], 'server', 9000, ['data.tar']],
  )
  await write(rack, 'second')
  assert.deepEqual(await state(rack), { volumes: ['data'], text: 'second', running: 1 })
  await operations.restoreBackup(id, { inPlace: true }, control)
  assert.deepEqual(await state(rack), { volumes: ['data.2'], text: 'first', running: 1 })
  await operations.restoreBackup(id, { into: 'other' }, control)
  assert.deepEqual(await state(rack, 'other'), { volumes: ['data.2'], text: 'first', running: 1 })
})

test('a backup or a restore that fails, or whose daemon dies, leaves the service as it was', async () => {
  await using rack = await startMemoryRack()
  const { engine, control } = rack
  const first = (await withService(rack)).operations.as(tester)
  const copyVolume = engine.copyVolume.bind(engine)
  const asBefore = { volumes: ['data'], text: 'first', running: 1 }
  engine.copyVolume = async () => {
    throw new Error('the disk is broken')
  }
  await assert.rejects(first.backupService('main', 'asked', control), /broken/)
  engine.copyVolume = copyVolume
  assert.deepEqual([await state(rack), await first.listBackups(null)], [asBefore, []])
  const { id } = await first.backupService('main', 'asked', control)
  engine.copyVolume = async (of, name, archive, own) => {
    await copyVolume(of, name, archive, own)
    if ('in' in archive) throw new Error('the disk is full')
  }
  await assert.rejects(first.restoreBackup(id, { inPlace: true }, control), /full/)
  assert.deepEqual(await state(rack), asBefore)
  const reading = Promise.withResolvers<void>()
  engine.copyVolume = async () => {
    reading.resolve()
    await Promise.withResolvers<never>().promise
  }
  void first.backupService('main', 'asked', control)
  await reading.promise
  engine.copyVolume = copyVolume
  assert.equal((await state(rack)).running, 0)
  await daemon(rack)
  assert.deepEqual(await state(rack), asBefore)
})
