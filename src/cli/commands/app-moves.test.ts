import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startMemoryRack, type MemoryRack } from '../../../test/support/memory-rack.ts'
import { until } from '../../lib/poll.ts'
import { typeCommand, type TypeOptions } from '../../../test/support/type-command.ts'

const compose =
  'services: { web: { image: shop, command: print hello serve, ports: ["80:3000"] }, job: { image: job } }\n'
const secret = 'a value that nobody else knows'

/** A rack with an app, another one, and its export, sealed by a key file. */
async function openWorld() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rack-app-'))
  const [rack, other] = [await startMemoryRack(), await startMemoryRack()]
  await rack.operations.createApp('shop')
  await rack.operations.changeEnvironment('shop', { set: { SECRET: secret }, unset: [], replace: false })
  const release = await rack.deploy('shop', compose)
  const [key, file] = [join(folder.path, 'key'), join(folder.path, 'shop.app')]
  await writeFile(key, randomBytes(32))
  const type = (on: MemoryRack, words: string[], more: Partial<TypeOptions> = {}) =>
    typeCommand(['apps', ...words, '--key-file', key], { door: on.room.operations, ...more })
  return {
    rack,
    other,
    release,
    folder: folder.path,
    key,
    file,
    type,
    async [Symbol.asyncDispose]() {
      await rack[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('an app goes through a sealed file to another rack, and is live there', async () => {
  await using world = await openWorld()
  const { rack, other, file, release, type, folder } = world
  const said = await type(rack, ['export', 'shop', '--output', file])
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /not in it: logs of processes[\s\S]*shop\.app is written[\s\S]*rack apps import/)
  assert.equal(said.stdout, `${file}\n`)
  const bytes = await readFile(file)
  assert.ok(!bytes.includes(secret) && !bytes.includes('shop'))
  const came = await type(other, ['import', file, '--promote'])
  assert.equal(came.code, 0, came.stderr)
  assert.match(
    came.stderr,
    /before anything is touched[\s\S]*shop is here, as it was on rack .*\(2 releases\)/,
  )
  assert.match(came.stderr, new RegExp(`shop is live with ${release}`))
  assert.equal((await other.operations.getEnvironment('shop')).SECRET, secret)
  assert.match(
    (await type(other, ['import', file])).stderr,
    /already, and nothing was changed[\s\S]*--name NAME/,
  )
  const second = await type(other, ['import', '-', '--name', 'shop-2', '--json'], { input: [bytes] })
  const told = JSON.parse(second.stdout) as { app: string; from: object }
  assert.deepEqual([told.app, (told.from as { app: string }).app], ['shop-2', 'shop'])
  assert.deepEqual((await readdir(folder)).sort(), ['key', 'shop.app'])
})

test('what is in no export is said before it is made, and in JSON', async () => {
  await using world = await openWorld()
  const { rack, file, type } = world
  const none = await type(rack, ['export', 'shop', '--no-images', '--output', file])
  assert.match(none.stderr, /not in it: images: what is to run elsewhere has to be built again/)
  const told = await type(rack, ['export', 'shop', '--no-images', '--output', file, '--json'])
  const contents = JSON.parse(told.stdout) as { lacks: string[]; file: string; bytes: number }
  assert.ok(contents.lacks.length > 1 && contents.bytes > 0 && contents.file === file)
  const wrong = (...words: string[]) => type(rack, ['export', 'shop', ...words])
  assert.match((await wrong('--no-images', '--all-images')).stderr, /either --no-images or --all-images/)
  assert.match((await wrong('--output', '-', '--json')).stderr, /an app on standard output leaves no room/)
})

test('another secret, a file that is cut or altered, and what is no export leave nothing on the rack', async () => {
  await using world = await openWorld()
  const { rack, other, file, key, type, folder } = world
  await type(rack, ['export', 'shop', '--output', file])
  const bytes = await readFile(file)
  const refused = async (said: RegExp, changed: Uint8Array) => {
    await writeFile(file, changed)
    const { code, stderr } = await type(other, ['import', file])
    assert.equal(code, 1, stderr)
    assert.match(stderr, said)
    assert.deepEqual(await other.operations.listApps(), [])
    assert.deepEqual(await Array.fromAsync(other.objects.list('')), [])
  }
  const middle = Buffer.from(bytes)
  middle[bytes.length >> 1]! ^= 1
  await refused(/shop\.app cannot be used: it is cut, or was altered[\s\S]*Nothing was changed/, middle)
  await refused(/it is cut, or was altered/, bytes.subarray(0, bytes.length - 1))
  await refused(/it is cut, or was altered/, Buffer.concat([bytes, Buffer.from([0])]))
  await refused(/is no export of an app[\s\S]*rack restore/, Buffer.from('rack-backup {}\n'))
  const newer = Buffer.from(bytes.toString('latin1').replace('"format":1', '"format":2'), 'latin1')
  await refused(/written by a newer version of Rack \(form 2\)/, newer)
  await writeFile(file, bytes)
  const restored = await typeCommand(['restore', file, '--key-file', key])
  assert.match(restored.stderr, /is no backup of a rack[\s\S]*rack apps import/)
  const pass = join(folder, 'pass')
  await writeFile(pass, 'four words that nobody guesses\n')
  const by = (...words: string[]) =>
    typeCommand(['apps', 'import', ...words], { door: other.room.operations })
  assert.match((await by(file, '--passphrase-file', pass)).stderr, /is sealed by a key file/)
  assert.match((await by('-', '--passphrase-file', '-')).stderr, /cannot be both/)
  await writeFile(key, randomBytes(32))
  await refused(/that is not the key file of/, bytes)
})

test('Ctrl-C in the middle of an import leaves nothing', async () => {
  await using world = await openWorld()
  const { rack, other, file, type } = world
  await type(rack, ['export', 'shop', '--output', file])
  let interrupt: () => void = () => assert.fail('nobody listens')
  const loadImages = other.engine.loadImages.bind(other.engine)
  other.engine.loadImages = async (saved, control) => {
    const called = await loadImages(saved, control)
    const { promise, resolve } = Promise.withResolvers<void>()
    control.signal.addEventListener('abort', () => resolve(), { once: true })
    interrupt()
    await promise
    control.signal.throwIfAborted()
    return called
  }
  const { code, stderr } = await type(other, ['import', file], {
    onListen: (listener) => (interrupt = listener),
  })
  assert.equal(code, 130, stderr)
  assert.match(stderr, /the import was ended: nothing of it is kept/)
  const kept = () => Array.fromAsync(other.objects.list(''))
  const isGone = async () => (await other.store.apps.list()).length + (await kept()).length === 0
  await until(isGone, { deadlineMs: 10_000, intervalMs: 10, what: 'the import to be undone' })
  assert.deepEqual([...other.engine.world.images], [])
})

test('what links more than the newest release does is made live by a rollback, which is what is said too', async () => {
  await using world = await openWorld()
  const { rack, other, file, type } = world
  for (const { operations, control } of [rack, other])
    await operations.createService({ name: 'main', type: 'postgres' }, control)
  const { release } = await rack.operations.createLink('shop', { service: 'main', alias: 'db' }, rack.control)
  await rack.operations.promoteRelease('shop', release.id, { releaseCommand: true }, rack.control)
  await rack.operations.deleteLink('shop', 'db')
  await type(rack, ['export', 'shop', '--output', file])
  const said = await type(other, ['import', file])
  assert.match(said.stderr, new RegExp(`rack releases rollback ${release.id} --app shop`))
  const live = await type(other, ['import', file, '--name', 'shop-2', '--promote'])
  assert.equal(live.code, 0, live.stderr)
  assert.match(live.stderr, /shop-2 is live with R/)
})
