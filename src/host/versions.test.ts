import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, readdir, readlink, realpath, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { currentVersion, lastingCommand, makeCurrent, removeOldVersions, versionsOf } from './versions.ts'

/** A folder of versions, and what each one's daemon is started with. */
async function makeHome(...numbers: string[]) {
  const directory = await mkdtempDisposable(join(await realpath(tmpdir()), 'versions-'))
  for (const number of numbers) {
    await mkdir(join(directory.path, number, 'bin'), { recursive: true })
    for (const file of ['install', 'bin/rack']) await writeFile(join(directory.path, number, file), '')
  }
  const program = (number: string) => {
    const bin = join(directory.path, number, 'bin')
    return { node: join(bin, 'node'), script: join(bin, 'start.mjs') }
  }
  return { home: directory.path, program, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

test('a program knows the versions beside it, and a clone has none', async () => {
  await using made = await makeHome('1.0.0')
  assert.deepEqual(await versionsOf(made.program('1.0.0')), { home: made.home, own: '1.0.0' })
  assert.equal(await versionsOf(made.program('clone')), null)
})

test('one version is current, and another takes its place', async () => {
  await using made = await makeHome('1.0.0', '1.1.0')
  const { home } = made
  assert.equal(await currentVersion({ home, own: '1.0.0' }), null)
  for (const own of ['1.0.0', '1.1.0']) {
    await makeCurrent({ home, own })
    assert.equal(await readlink(join(home, 'current')), own)
  }
  assert.equal(await currentVersion({ home, own: '1.0.0' }), '1.1.0')
})

test('what outlives an update is called by the link, while it is that version', async () => {
  await using made = await makeHome('1.0.0', '1.1.0')
  const { home, program } = made
  await makeCurrent({ home, own: '1.1.0' })
  assert.equal(await lastingCommand(program('1.1.0')), join(home, 'current/bin/rack'))
  assert.equal(await lastingCommand(program('1.0.0')), join(home, '1.0.0/bin/rack'))
})

test('old versions go; the one before, what a unit starts and all else stay', async () => {
  await using made = await makeHome('0.8.0', '0.9.0', '1.0.0', '1.1.0')
  const { home } = made
  await makeCurrent({ home, own: '1.1.0' })
  await writeFile(join(home, 'rack.tar.gz'), '')
  const unit = `ExecStart="${home}/0.8.0/bin/node"`
  assert.deepEqual(await removeOldVersions({ home, own: '1.1.0' }, '1.0.0', [unit]), ['0.9.0'])
  assert.deepEqual((await readdir(home)).toSorted(), ['0.8.0', '1.0.0', '1.1.0', 'current', 'rack.tar.gz'])
  // The same version once more: the one before is still kept.
  await utimes(join(home, '0.8.0'), 0, 0)
  assert.deepEqual(await removeOldVersions({ home, own: '1.1.0' }, '1.1.0', []), ['0.8.0'])
})
