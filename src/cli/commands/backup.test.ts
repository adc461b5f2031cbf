import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'
import { RackError } from '../../domain/error.ts'
import { rackBackupPlace, type RackBackupSeal } from '../../domain/rack-backup.ts'
import { compressZstd } from '../../lib/zstd.ts'
import { rackRestorer } from '../../main/rack-restorer.ts'
import { packBackup } from '../../operations/services/backup/backup-archive.ts'
import { createSealing } from '../../store/stream-encryption.ts'

const created = '2026-11-30T05:10:00.000Z'
const contents = {
  rack: 'home',
  version: '1',
  created,
  images: 0,
  volumes: [],
  services: [],
  lacks: ['logs'],
}
const control = { signal: new AbortController().signal, report: () => undefined }
const frameBytes = 64 * 1024 + 16

/** As a rack would seal it, with so many bytes of a store. */
async function* sealedBy({ key, head }: RackBackupSeal, storeBytes = 40): AsyncGenerator<Uint8Array> {
  const part = (name: string, bytes: Uint8Array) => ({
    name,
    content: (async function* () {
      yield bytes
    })(),
  })
  const about = { format: 1 as const, service: 'home', type: 'rack', version: '1', created }
  const parts = [
    part('contents.json', Buffer.from(JSON.stringify(contents))),
    part('rack.json', Buffer.from('{"name":"home"}')),
    part('rack.key', Buffer.from('key')),
    part('store/store.sqlite', randomBytes(storeBytes)),
  ]
  yield* createSealing(Buffer.from(key), randomBytes).seal(
    compressZstd(packBackup(about, parts)),
    rackBackupPlace(head),
  )
}

const rack = {
  planRackBackup: async () => contents,
  async backupRack(request: RackBackupSeal, out: (chunk: Uint8Array) => Promise<void>) {
    for await (const chunk of sealedBy(request)) await out(chunk)
  },
}

async function withFile() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rack-backup-'))
  const [key, file] = [join(folder.path, 'key'), join(folder.path, 'rack.backup')]
  await writeFile(key, randomBytes(32))
  const said = await typeCommand(['backup', '--key-file', key, '--output', file], { rack })
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /not in it: logs/)
  const bytes = await readFile(file)
  const restore = async (changed: Uint8Array, ...more: string[]) => {
    await writeFile(file, changed)
    return await typeCommand(['restore', file, '--socket', '/nowhere', '--key-file', key, ...more])
  }
  return { folder, key, file, bytes, restore, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

test('a file of which a byte is another, or missing, or too many, is refused before anything is changed', async () => {
  await using backup = await withFile()
  const { bytes, restore } = backup
  // With all of it right it comes as far as the machine.
  assert.match((await restore(bytes)).stderr, /reading .*before anything is touched[\s\S]*Docker Engine/)
  const headBytes = bytes.indexOf('\n') + 1
  const refusal = /cannot be used|is no backup|is not the key file|newer version|is sealed by|--key-file/
  for (let at = 0; at < headBytes; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    const { code, stderr } = await restore(changed)
    assert.ok(code !== 0 && refusal.test(stderr) && !stderr.includes('Docker'), `byte ${at}: ${stderr}`)
  }
  const cut = await restore(bytes.subarray(0, bytes.length - 1))
  assert.match(cut.stderr, /cannot be used: it is cut, or was altered[\s\S]*Nothing was changed/)
})

test('no byte of the sealed part can be changed, left out or moved', async () => {
  const seal = { key: randomBytes(32), head: 'head\n' }
  const check = async (bytes: Uint8Array, head = seal.head) => {
    const content = async function* () {
      yield bytes
    }
    return await rackRestorer.check({ ...seal, head, content }, control)
  }
  const refused = async (bytes: Uint8Array, what: string, head?: string) =>
    await assert.rejects(
      check(bytes, head),
      (error) => error instanceof RackError && error.code === 'invalid',
      what,
    )
  const small = Buffer.concat(await Array.fromAsync(sealedBy(seal)))
  assert.deepEqual((await check(small)).contents, contents)
  await refused(small, 'another head', 'Head\n')
  for (let at = 0; at < small.length; at++) {
    const changed = Buffer.from(small)
    changed[at]! ^= 1 << (at % 8)
    await refused(changed, `byte ${at}`)
    await refused(small.subarray(0, at), `cut at ${at}`)
  }
  await refused(Buffer.concat([small, Buffer.from([0])]), 'one more')
  const large = Buffer.concat(await Array.fromAsync(sealedBy(seal, 300_000)))
  await check(large)
  // Behind the mark and the salt of a sealed stream.
  const at = (frame: number) => 37 + frame * frameBytes
  assert.ok(large.length > at(4))
  const swapped = [
    large.subarray(0, at(1)),
    large.subarray(at(2), at(3)),
    large.subarray(at(1), at(2)),
    large.subarray(at(3)),
  ]
  await refused(Buffer.concat(swapped), 'two frames in another order')
  await refused(Buffer.concat([large.subarray(0, at(1)), large.subarray(at(2))]), 'a frame left out')
  await refused(large.subarray(0, at(3)), 'cut between frames')
})

test('what is no backup, a newer one, or another secret, says so', async () => {
  await using backup = await withFile()
  const { bytes, restore, folder, file } = backup
  assert.match((await restore(Buffer.from('no backup'))).stderr, /is no backup of a rack/)
  const newer = bytes.toString('latin1').replace('"format":1', '"format":2')
  assert.match(
    (await restore(Buffer.from(newer, 'latin1'))).stderr,
    /written by a newer version of Rack \(form 2\)/,
  )
  const other = join(folder.path, 'other')
  await writeFile(other, randomBytes(32))
  await writeFile(file, bytes)
  const secret = (...words: string[]) => typeCommand(['restore', file, ...words])
  assert.match((await secret('--key-file', other)).stderr, /that is not the key file of/)
  assert.match(
    (await secret('--passphrase-file', other)).stderr,
    /is sealed by a key file[\s\S]*--key-file FILE/,
  )
  assert.match((await secret('--passphrase-file', other, '--key-file', other)).stderr, /one secret is enough/)
  assert.match((await typeCommand(['restore', '-'])).stderr, /reads its file twice/)
})

test('a backup wants a secret that is one, and leaves nothing when it breaks off', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-backup-'))
  const [short, file] = [join(folder.path, 'short'), join(folder.path, 'rack.backup')]
  await writeFile(short, 'short\n')
  const type = (...words: string[]) => typeCommand(['backup', '--output', file, ...words], { rack })
  assert.match((await type()).stderr, /nobody is here to be asked[\s\S]*--passphrase-file FILE/)
  assert.match((await type('--passphrase-file', short)).stderr, /12 characters at least/)
  assert.match((await type('--key-file', short)).stderr, /a key file has 32 at least[\s\S]*urandom/)
  await writeFile(short, randomBytes(32))
  const breaking = {
    ...rack,
    async backupRack(_request: RackBackupSeal, out: (chunk: Uint8Array) => Promise<void>) {
      await out(randomBytes(1000))
      throw new RackError('disk-full', 'no room')
    },
  }
  const broken = await typeCommand(['backup', '--output', file, '--key-file', short], { rack: breaking })
  assert.match(broken.stderr, /broke the archive off|went away/)
  assert.deepEqual(await readdir(folder.path), ['short'])
})

test('a passphrase opens what it has sealed', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-backup-'))
  const [pass, file] = [join(folder.path, 'pass'), join(folder.path, 'rack.backup')]
  await writeFile(pass, 'four words that nobody guesses\n')
  const said = await typeCommand(['backup', '--output', file, '--passphrase-file', pass, '--json'], { rack })
  assert.equal((JSON.parse(said.stdout) as { rack: string }).rack, 'home')
  assert.ok(!(await readFile(file)).includes('home'))
  const restore = () => typeCommand(['restore', file, '--passphrase-file', pass, '--socket', '/nowhere'])
  assert.match((await restore()).stderr, /Docker Engine does not answer/)
  await writeFile(pass, 'four words that nobody guesses!\n')
  assert.match((await restore()).stderr, /that is not the passphrase of/)
})
