import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sweepTemporaryFiles, writeFileAtomically } from './atomic-file.ts'
import { until } from './poll.ts'

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

test('what a killed writer left is swept; a live writer and every other file are left alone', async () => {
  await using directory = await makeDirectory()
  const module = JSON.stringify(new URL('atomic-file.ts', import.meta.url))
  // Writes without end: killed in the middle of one, sooner or later.
  const script = `import { writeFileAtomically } from ${module}; console.log('begun'); for (;;) await writeFileAtomically(process.argv[1], 'x'.repeat(2 ** 22))`
  const path = join(directory.path, 'table.cfg')
  const leftovers = async () => (await readdir(directory.path)).filter((name) => name.endsWith('.tmp'))
  for (let kills = 0; (await leftovers()).length === 0; kills++) {
    assert.ok(kills < 20, 'no kill left anything')
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await until(async () => (await leftovers()).length > 0, {
      deadlineMs: 5000,
      intervalMs: 1,
      what: 'a write',
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const kept = ['.x.tmp.swp', 'notes.tmp', `.live.${process.pid}.0123456789ab.tmp`]
  for (const name of kept) await writeFile(join(directory.path, name), '')
  await writeFile(join(directory.path, '.old.0123456789ab.tmp'), '')
  await writeFile(join(directory.path, '.rack.key.999999999.tmp'), '')
  await sweepTemporaryFiles(directory.path)
  const names = (await readdir(directory.path)).filter((name) => name !== 'table.cfg')
  assert.deepEqual(names.toSorted(), kept.toSorted())
  await sweepTemporaryFiles(join(directory.path, 'nowhere'))
})
