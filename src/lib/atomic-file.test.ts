import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeFileAtomically } from './atomic-file.ts'

const makeDirectory = () => mkdtempDisposable(join(tmpdir(), 'atomic-file-'))

test('writes, replaces, and leaves nothing beside the file', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'table.cfg')
  await writeFileAtomically(path, 'old')
  await writeFileAtomically(path, Buffer.from('new'))
  assert.equal(await readFile(path, 'utf8'), 'new')
  assert.deepEqual(await readdir(directory.path), ['table.cfg'])
})

test('the mode is what was asked, whatever the umask and the old file', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'key')
  await writeFile(path, 'old', { mode: 0o644 })
  await writeFileAtomically(path, 'secret', { mode: 0o600 })
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await writeFileAtomically(path, 'open', { mode: 0o666 })
  assert.equal((await stat(path)).mode & 0o777, 0o666)
})

test('a failure keeps the old and removes the temporary file', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'taken')
  await mkdir(join(path, 'full'), { recursive: true })
  await assert.rejects(writeFileAtomically(path, 'x'))
  assert.deepEqual(await readdir(directory.path), ['taken'])
})

test('many writers at once leave one whole version', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'file')
  const versions = Array.from({ length: 10 }, (_, i) => String(i).repeat(10_000))
  await Promise.all(versions.map((version) => writeFileAtomically(path, version)))
  assert.ok(versions.includes(await readFile(path, 'utf8')))
  assert.deepEqual(await readdir(directory.path), ['file'])
})
