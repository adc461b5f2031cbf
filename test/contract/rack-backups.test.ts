import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import { restoredKeys } from '../../src/domain/rack-backup.ts'
import { pulled } from '../../src/lib/pulled.ts'
import { readTar } from '../../src/lib/tar.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { rackRestorer } from '../../src/main/rack-restorer.ts'
import { openObjects } from '../../src/objects/directory.ts'
import { openStore } from '../../src/store/open-store.ts'
import { createMemoryEngine, type MemoryEngine } from '../support/memory-engine.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'

const shop =
  'services:\n  db: { image: shop, command: sleep, volumes: ["data:/data"] }\nvolumes: { data: {} }\n'
const control = { signal: new AbortController().signal, report: () => undefined }
const scope = { volumes: true, services: true, images: true }

async function* tarOf(text: string): AsyncGenerator<Uint8Array> {
  yield tarHead({ name: 'volume', type: 'directory', mode: 0o755, size: 0, modified: new Date(0) })
  yield tarHead({ name: 'volume/text', type: 'file', mode: 0o600, size: text.length, modified: new Date(0) })
  yield Buffer.from(text)
  yield tarPadding(text.length)
  yield tarEnd()
}

async function textIn(engine: MemoryEngine, name: string): Promise<string> {
  const stream = pulled<Uint8Array>((out) => engine.copyVolume(appOwner('shop'), name, { out }, control))
  let text = ''
  for await (const { content } of readTar(stream))
    text += Buffer.concat(await Array.fromAsync(content)).toString()
  return text
}

async function backUp({ operations }: Pick<MemoryRack, 'operations'>, more: Partial<typeof scope> = {}) {
  const seal = { key: randomBytes(32), head: 'head\n' }
  const chunks: Uint8Array[] = []
  await operations.backupRack(
    { ...scope, ...more, ...seal },
    async (chunk) => void chunks.push(chunk),
    control,
  )
  const bytes = Buffer.concat(chunks)
  const content = async function* () {
    yield bytes
  }
  return { ...seal, content }
}

test('what was written out of a rack makes another one, which brings about what was live', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  await rack.deploy('shop', shop)
  await rack.operations.changeEnvironment('shop', { set: { SECRET: 'a value' }, unset: [], replace: false })
  await rack.engine.copyVolume(appOwner('shop'), 'data', { in: tarOf('what I wrote') }, control)
  const { lacks } = await rack.operations.planRackBackup({ ...scope, volumes: false, images: false }, control)
  assert.ok(lacks.some((lack) => lack.includes('shop/data') && lack.includes('--volumes')))
  assert.ok(lacks.some((lack) => lack.startsWith('images (')))
  const sealed = await backUp(rack)
  const { contents } = await rackRestorer.check(sealed, control)
  assert.deepEqual([contents.volumes, contents.images], [['shop/data'], 1])

  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-restored-'))
  const directory = folder.path
  await rackRestorer.unpack(sealed, directory, control)
  const files = await readdir(directory, { recursive: true })
  assert.ok(files.includes('store/store.sqlite') && files.includes('audit.key'))
  // The data waits for the engine as sealed as it was.
  const staged = await readFile(join(directory, 'objects/blobs', restoredKeys.volume('shop', 'data')))
  assert.ok(!staged.includes('what I wrote'))

  const store = await openStore({
    directory: join(directory, 'store'),
    keyFile: join(directory, 'rack.key'),
    rack: 'rack',
  })
  await using _store = { [Symbol.asyncDispose]: () => store.close() }
  const objects = await openObjects(join(directory, 'objects'))
  const engine = createMemoryEngine({ settleMs: 5, onEnded: async () => undefined })
  const room = await rack.restart({ store, objects, engine })
  const operations = room.operations.as(tester)
  assert.deepEqual((await operations.getRack(control)).restoring?.left, ['images', 'volume shop/data'])
  assert.equal(await room.recover(control), true)
  assert.equal((await operations.getRack(control)).restoring, null)
  assert.equal(await textIn(engine, 'data'), 'what I wrote')
  assert.equal((await engine.processes({ owner: appOwner('shop') }, control)).length, 1)
  assert.equal((await operations.getEnvironment('shop')).SECRET, 'a value')
  assert.equal((await operations.verifyAudit()).fault, null)
  await room.interrupt()
})
