import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import type { Control } from '../../src/domain/control.ts'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { mountedVolumes } from '../../src/domain/volume.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { pulled } from '../../src/lib/pulled.ts'
import { readTar } from '../../src/lib/tar.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { openObjects } from '../../src/objects/directory.ts'
import type { OperationsParts } from '../../src/operations/create-operations.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'
import { mountSmallDisk } from '../support/small-tmpfs.ts'

const shop = (said = 'one') =>
  `services:\n  db: { image: shop, command: sleep, volumes: ["data:/data"], environment: { SAID: ${said} } }\n  web: { image: shop, command: sleep }\nvolumes: { data: {} }\n`

async function* tarOf(text: Uint8Array): AsyncGenerator<Uint8Array> {
  yield tarHead({ name: 'volume', type: 'directory', mode: 0o755, size: 0, modified: new Date(0) })
  yield tarHead({ name: 'volume/text', type: 'file', mode: 0o600, size: text.length, modified: new Date(0) })
  yield text
  yield tarPadding(text.length)
  yield tarEnd()
}

/** A live app whose volume holds a text. */
async function withShop(rack: MemoryRack): Promise<void> {
  await rack.operations.createApp('shop')
  await rack.deploy('shop', shop())
  await write(rack, 'first')
}

const write = async ({ engine, control }: MemoryRack, text: string | Uint8Array, name = 'data') =>
  await engine.copyVolume(appOwner('shop'), name, { in: tarOf(Buffer.from(text)) }, control)

/** What the running copies of `db` have: the engine's volume, and the text in it. */
async function mounted({ engine, control }: MemoryRack): Promise<[string, string]> {
  const plan = engine.livePlan('shop')!
  const [name = ''] = plan.processes.filter(({ type }) => type === 'db').flatMap(mountedVolumes)
  const stream = pulled<Uint8Array>((out) => engine.copyVolume(appOwner('shop'), name, { out }, control))
  let text = ''
  for await (const { content } of readTar(stream))
    text += Buffer.concat(await Array.fromAsync(content)).toString()
  return [name, text]
}

const volumesOf = async ({ engine, control }: MemoryRack) =>
  (await engine.volumes({ owner: appOwner('shop') }, control)).map(({ name }) => name)

const dbCopies = async ({ engine, control }: MemoryRack) =>
  (await engine.processes({ owner: appOwner('shop') }, control)).filter(({ type }) => type === 'db')

/** A daemon, which may die without a word: nobody waits for what it was at. */
const daemon = async (rack: MemoryRack, parts?: Partial<OperationsParts>) => {
  const room = await rack.restart(parts)
  await room.recover(rack.control)
  return room.operations.as(tester)
}

const restore = async (
  { operations, control }: Pick<MemoryRack, 'operations' | 'control'>,
  backup: string,
  force = true,
) => await operations.restoreVolume('shop', 'data', { backup, force }, control)

test('what was backed up is mounted again, in a volume of its own that has the name of the old one', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await withShop(rack)
  const kept = await operations.backupVolume('shop', { volume: 'data', stop: false }, control)
  assert.deepEqual([kept.service, kept.type, kept.version], ['shop/data', 'volume', ''])
  assert.deepEqual(await operations.listBackups('shop/data'), [kept])
  await write(rack, 'second')
  await assert.rejects(restore(rack, kept.id, false), (error: RackError) => {
    assert.equal(error.code, 'conflict')
    assert.match(error.hint ?? '', /volumes restore K\w+ shop\/data --force/)
    return true
  })
  assert.deepEqual(await mounted(rack), ['data', 'second'])
  const found = await restore(rack, kept.id)
  assert.deepEqual([found.name, found.usedBy], ['data', ['db']])
  assert.deepEqual(await mounted(rack), ['data.2', 'first'])
  assert.deepEqual(await volumesOf(rack), ['data.2'])
  assert.equal((await dbCopies(rack)).length, 1)
  // What is deployed from then on has it too, and once more.
  await rack.deploy('shop', shop('two'))
  assert.deepEqual(await mounted(rack), ['data.2', 'first'])
  await restore(rack, kept.id)
  assert.deepEqual(await mounted(rack), ['data.3', 'first'])
  await operations.deleteApp('shop', { volumes: true }, control)
  await withShop(rack)
  assert.deepEqual(await volumesOf(rack), ['data'])
})

test('with --stop nobody has the volume while it is read, and all run again whatever happens', async () => {
  await using rack = await startMemoryRack()
  const { engine, operations, control } = rack
  await withShop(rack)
  const seen: number[] = []
  const copyVolume = engine.copyVolume.bind(engine)
  let fails = false
  engine.copyVolume = async (...call) => {
    seen.push((await dbCopies(rack)).length)
    if (fails) throw new Error('the disk is broken')
    await copyVolume(...call)
  }
  const kept = await operations.backupVolume('shop', { volume: 'data', stop: true }, control)
  assert.deepEqual([seen, (await dbCopies(rack)).length], [[0], 1])
  fails = true
  await assert.rejects(operations.backupVolume('shop', { volume: 'data', stop: true }, control), /broken/)
  assert.deepEqual([seen, (await dbCopies(rack)).length], [[0, 0], 1])
  assert.deepEqual(await operations.listBackups(null), [kept])
  assert.equal((await operations.getApp('shop', control)).operation, null)
})

test('a daemon that dies while a volume is read with all stopped is followed by one that starts them', async () => {
  await using rack = await startMemoryRack()
  const { engine, control } = rack
  await withShop(rack)
  const reading = Promise.withResolvers<void>()
  engine.copyVolume = async () => {
    reading.resolve()
    await Promise.withResolvers<never>().promise
  }
  const first = await daemon(rack)
  void first.backupVolume('shop', { volume: 'data', stop: true }, control)
  await reading.promise
  assert.equal((await dbCopies(rack)).length, 0)
  const second = await daemon(rack)
  assert.equal((await dbCopies(rack)).length, 1)
  assert.deepEqual(await second.listBackups(null), [])
})

test('what cannot be put back leaves what was mounted', async () => {
  await using rack = await startMemoryRack()
  const { engine, objects, operations, control } = rack
  await withShop(rack)
  const { id } = await operations.backupVolume('shop', { volume: 'data', stop: false }, control)
  await write(rack, 'second')
  const isAsBefore = async () => {
    assert.deepEqual(await mounted(rack), ['data', 'second'])
    assert.deepEqual([await volumesOf(rack), (await dbCopies(rack)).length], [['data'], 1])
  }
  // Half of it only.
  const copyVolume = engine.copyVolume.bind(engine)
  engine.copyVolume = async (owner, name, archive, own) => {
    if ('in' in archive) {
      await copyVolume(owner, name, { in: tarOf(Buffer.from('half')) }, own)
      throw new Error('the disk is full')
    }
    await copyVolume(owner, name, archive, own)
  }
  await assert.rejects(restore(rack, id), /the disk is full/)
  engine.copyVolume = copyVolume
  await isAsBefore()
  // The change itself.
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, own) => {
    if (change.plan.volumes.includes('data.2')) throw new Error('it does not start')
    return await deploy(change, own)
  }
  await assert.rejects(restore(rack, id), /does not start/)
  engine.deploy = deploy
  await isAsBefore()
  // A byte of what is kept is another.
  const key = `backups/${id}.sealed`
  const bytes = Buffer.concat(await Array.fromAsync(objects.get(key)))
  bytes[bytes.length >> 1]! ^= 1
  await objects.put(key, streamOf(bytes), control)
  await assert.rejects(restore(rack, id), { code: 'invalid', message: /not as it was written/ })
  await isAsBefore()
  await assert.rejects(operations.restoreBackup(id, {}, control), { code: 'invalid' })
})

test('a daemon that dies in a restore is followed by one with the old content, or with the new', async () => {
  await using rack = await startMemoryRack()
  const { engine, operations, control } = rack
  await withShop(rack)
  const { id } = await operations.backupVolume('shop', { volume: 'data', stop: false }, control)
  await write(rack, 'second')
  const filled = Promise.withResolvers<void>()
  const copyVolume = engine.copyVolume.bind(engine)
  engine.copyVolume = async (owner, name, archive, own) => {
    if (!('in' in archive)) return await copyVolume(owner, name, archive, own)
    await copyVolume(owner, name, { in: tarOf(Buffer.from('half')) }, own)
    filled.resolve()
    await Promise.withResolvers<never>().promise
  }
  void restore({ operations: await daemon(rack), control }, id)
  await filled.promise
  engine.copyVolume = copyVolume
  const second = await daemon(rack)
  assert.deepEqual([await mounted(rack), await volumesOf(rack)], [['data', 'second'], ['data']])

  const mounting = Promise.withResolvers<void>()
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, own) => {
    if (!change.plan.volumes.includes('data.2')) return await deploy(change, own)
    mounting.resolve()
    return await Promise.withResolvers<never>().promise
  }
  void restore({ operations: second, control }, id)
  await mounting.promise
  engine.deploy = deploy
  await daemon(rack)
  assert.deepEqual([await mounted(rack), await volumesOf(rack)], [['data.2', 'first'], ['data.2']])
})

test('a restore ends with whoever asked for it, and what was mounted is mounted', async () => {
  await using rack = await startMemoryRack()
  const { engine, operations, control } = rack
  await withShop(rack)
  const { id } = await operations.backupVolume('shop', { volume: 'data', stop: false }, control)
  await write(rack, 'second')
  const copyVolume = engine.copyVolume.bind(engine)
  const deploy = engine.deploy.bind(engine)
  const untilEnd = async ({ signal }: Control) => {
    return await abortable(Promise.withResolvers<never>().promise, signal)
  }
  const leaveAt = async (place: 'fill' | 'mount') => {
    const leaving = new AbortController()
    const leave = async (own: Control) => {
      leaving.abort(new RackError('cancelled', 'nobody waits any more'))
      return await untilEnd(own)
    }
    engine.copyVolume = async (owner, name, archive, own) => {
      await copyVolume(owner, name, archive, own)
      if (place === 'fill') await leave(own)
    }
    engine.deploy = async (change, own) =>
      change.plan.volumes.includes('data.2') ? await leave(own) : await deploy(change, own)
    await assert.rejects(
      operations.restoreVolume(
        'shop',
        'data',
        { backup: id, force: true },
        { ...control, signal: leaving.signal },
      ),
      { code: 'cancelled' },
    )
    Object.assign(engine, { copyVolume, deploy })
    assert.deepEqual([await mounted(rack), await volumesOf(rack)], [['data', 'second'], ['data']], place)
    assert.equal((await operations.getApp('shop', control)).operation, null)
  }
  await leaveAt('fill')
  await leaveAt('mount')
})

test('an archive from elsewhere goes into a volume that is not there yet', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await withShop(rack)
  const chunks: Uint8Array[] = []
  const out = async (chunk: Uint8Array) => void chunks.push(chunk)
  await operations.dumpVolume('shop', { volume: 'data', stop: false }, out, control)
  await operations.deleteApp('shop', { volumes: true }, control)
  const added = await operations.addBackup(streamOf(Buffer.concat(chunks)), control)
  assert.equal(added.service, 'shop/data')
  await assert.rejects(restore(rack, added.id, false), { code: 'not-found' })
  await operations.createApp('shop')
  const restored = await restore(rack, added.id, false)
  assert.deepEqual([restored.name, restored.usedBy], ['data', []])
  await rack.deploy('shop', shop())
  assert.deepEqual(await mounted(rack), ['data.2', 'first'])
  const listed = await operations.listVolumes({ app: 'shop', sizes: false }, control)
  assert.deepEqual(
    listed.map(({ name, usedBy }) => [name, usedBy]),
    [['data', ['db']]],
  )
})

test('a backup for which the disk has no room leaves nothing, and all run again', async () => {
  await using rack = await startMemoryRack()
  const { control } = rack
  await withShop(rack)
  await write(rack, randomBytes(3 * 2 ** 20))
  await using disk = await mountSmallDisk({ mebibytes: 2 })
  const objects = await openObjects(disk.path)
  const operations = await daemon(rack, { objects })
  const failing = operations.backupVolume('shop', { volume: 'data', stop: true }, control)
  await assert.rejects(failing, { code: 'disk-full' })
  assert.deepEqual(await operations.listBackups(null), [])
  const left = await readdir(disk.path, { recursive: true, withFileTypes: true })
  assert.deepEqual(
    left.filter((entry) => entry.isFile()).map(({ name }) => name),
    [],
  )
  assert.deepEqual([await volumesOf(rack), (await dbCopies(rack)).length], [['data'], 1])
})

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
