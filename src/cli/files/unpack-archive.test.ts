import assert from 'node:assert/strict'
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pack, type Header } from 'tar-stream'
import { RackError } from '../../domain/error.ts'
import { tarHead } from '../../lib/tar-blocks.ts'
import { readTar } from '../../lib/tar.ts'
import { unpackArchive } from './unpack-archive.ts'

type Entry = Partial<Header> & { name: string; content?: string }

let home = ''
let count = 0
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'rack-unpack-'))
})
after(async () => await rm(home, { recursive: true }))

/** A directory of its own for the archive, with something of value beside it. */
async function makePlace(): Promise<{ root: string; outside: string }> {
  const place = join(home, String(count++))
  const [root, outside] = [join(place, 'root'), join(place, 'outside')]
  await mkdir(root, { recursive: true })
  await mkdir(outside)
  await writeFile(join(outside, 'precious'), 'as it was')
  return { root, outside }
}

async function unpack(root: string, entries: Entry[], base = '.', signal = new AbortController().signal) {
  const tar = pack()
  for (const { content = '', ...header } of entries) tar.entry(header, Buffer.from(content))
  tar.finalize()
  const skipped: string[] = []
  const onSkipped = (name: string) => void skipped.push(name)
  const files = await unpackArchive({
    entries: readTar(tar as AsyncIterable<Uint8Array>),
    base,
    root,
    signal,
    onSkipped,
  })
  return { files, skipped }
}

const refused = (code: string) => (error: unknown) => error instanceof RackError && error.code === code

test('modes, times, links and empty directories come out as they were', async () => {
  const { root } = await makePlace()
  const mtime = new Date('2024-01-02T03:04:05Z')
  const { files, skipped } = await unpack(root, [
    { name: './', type: 'directory', mode: 0o755, mtime },
    { name: './locked/', type: 'directory', mode: 0o555, mtime },
    { name: './locked/run', type: 'file', mode: 0o750, mtime, content: '#!' },
    { name: './locked/same', type: 'link', linkname: './locked/run', mtime },
    { name: './away', type: 'symlink', linkname: '/etc/passwd', mtime },
    { name: './empty/', type: 'directory', mode: 0o700, mtime },
    { name: './pipe', type: 'fifo', mtime },
  ])
  assert.deepEqual([files, skipped], [3, ['./pipe']])
  const [folder, run, same] = await Promise.all(
    ['locked', 'locked/run', 'locked/same'].map((name) => stat(join(root, name))),
  )
  assert.deepEqual([folder!.mode & 0o777, folder!.mtimeMs], [0o555, mtime.getTime()])
  assert.deepEqual([run!.mode & 0o777, run!.mtimeMs, run!.ino], [0o750, mtime.getTime(), same!.ino])
  assert.equal(await readlink(join(root, 'away')), '/etc/passwd')
  assert.equal((await lstat(join(root, 'away'))).mtimeMs, mtime.getTime())
  assert.deepEqual((await readdir(root)).toSorted(), ['away', 'empty', 'locked'])
})

test('a set-user-id bit does not come out', async () => {
  const { root } = await makePlace()
  await unpack(root, [{ name: 'su', type: 'file', mode: 0o4755, content: 'x' }])
  assert.equal((await stat(join(root, 'su'))).mode & 0o7777, 0o755)
})

for (const name of ['/abs', '../up', 'a/../../up', './../up', '..', 'a/..']) {
  test(`an archive that names ${name} is refused`, async () => {
    const { root, outside } = await makePlace()
    await assert.rejects(unpack(root, [{ name, type: 'file', content: 'evil' }]), refused('invalid'))
    assert.deepEqual(await readdir(root), [])
    assert.deepEqual(await readdir(join(outside, '..')), ['outside', 'root'])
  })
}

test('an archive names nothing but what was asked for', async () => {
  const { root } = await makePlace()
  const entries: Entry[] = [
    { name: 'data/', type: 'directory' },
    { name: 'other', type: 'file', content: 'evil' },
  ]
  await assert.rejects(unpack(join(root, 'data'), entries, 'data'), refused('invalid'))
  assert.deepEqual(await readdir(root), ['data'])
})

test('nothing is written through a link of the archive, nor through one that was there', async () => {
  const { root, outside } = await makePlace()
  const through = (linkname: string): Entry[] => [
    { name: 'link', type: 'symlink', linkname },
    { name: 'link/precious', type: 'file', content: 'evil' },
  ]
  await assert.rejects(unpack(root, through('../outside')), refused('conflict'))
  await assert.rejects(unpack(root, through(outside)), refused('conflict'))
  await symlink(outside, join(root, 'there'))
  await assert.rejects(
    unpack(root, [{ name: 'there/precious', type: 'file', content: 'evil' }]),
    refused('conflict'),
  )
  await assert.rejects(unpack(join(root, 'there'), [{ name: './', type: 'directory' }]), refused('conflict'))
  assert.equal(await readFile(join(outside, 'precious'), 'utf8'), 'as it was')
  assert.deepEqual(await readdir(outside), ['precious'])
})

test('a file replaces a link of its name, and not what the link leads to', async () => {
  const { root, outside } = await makePlace()
  await symlink(join(outside, 'precious'), join(root, 'name'))
  await unpack(root, [
    { name: 'again', type: 'symlink', linkname: '../outside/precious' },
    { name: 'again', type: 'file', content: 'two' },
    { name: 'name', type: 'file', content: 'one' },
  ])
  assert.equal(await readFile(join(outside, 'precious'), 'utf8'), 'as it was')
  assert.equal(await readFile(join(root, 'name'), 'utf8'), 'one')
  assert.equal(await readFile(join(root, 'again'), 'utf8'), 'two')
})

test('a hard link leads to a file of the archive alone', async () => {
  const { root, outside } = await makePlace()
  for (const linkname of ['../outside/precious', join(outside, 'precious'), 'nowhere']) {
    await assert.rejects(unpack(root, [{ name: 'hard', type: 'link', linkname }]), refused('invalid'))
  }
  await symlink(outside, join(root, 'way'))
  const entry: Entry = { name: 'hard', type: 'link', linkname: 'way/precious' }
  await assert.rejects(unpack(root, [entry]), refused('conflict'))
  assert.deepEqual(await readdir(root), ['way'])
})

test('a file does not go where a directory is, nor a directory where a file is', async () => {
  const { root } = await makePlace()
  await mkdir(join(root, 'folder'))
  await writeFile(join(root, 'file'), 'kept')
  await assert.rejects(unpack(root, [{ name: 'folder', type: 'file', content: 'x' }]), refused('conflict'))
  await assert.rejects(unpack(root, [{ name: 'file/', type: 'directory' }]), refused('conflict'))
  assert.equal(await readFile(join(root, 'file'), 'utf8'), 'kept')
})

test('what breaks off, or is ended, leaves no half file', async () => {
  const { root } = await makePlace()
  await writeFile(join(root, 'big'), 'the old one')
  async function* broken() {
    yield tarHead({ name: 'big', type: 'file', mode: 0o644, size: 1_000_000, modified: new Date() })
    yield Buffer.alloc(400_000)
  }
  const onSkipped = () => undefined
  const whole = { base: '.', root, signal: new AbortController().signal, onSkipped }
  await assert.rejects(unpackArchive({ ...whole, entries: readTar(broken()) }))
  const leaving = AbortSignal.abort(new RackError('cancelled', 'ended'))
  await assert.rejects(unpack(root, [{ name: 'big', content: 'new' }], '.', leaving), refused('cancelled'))
  assert.deepEqual(await readdir(root), ['big'])
  assert.equal(await readFile(join(root, 'big'), 'utf8'), 'the old one')
})
