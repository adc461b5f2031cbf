import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { listIfThere, readProcess, readTextIfThere } from './files.ts'

test('a file and a directory are read, and their absence is an answer', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'files-'))
  const file = join(directory.path, 'a')
  await writeFile(file, 'text')
  assert.equal(await readTextIfThere(file), 'text')
  assert.deepEqual(await listIfThere(directory.path), ['a'])
  for (const nowhere of [join(directory.path, 'b'), join(file, 'b')]) {
    assert.equal(await readTextIfThere(nowhere), null)
    assert.deepEqual(await listIfThere(nowhere), [])
  }
})

test('what is there and cannot be read is an error', async () => {
  await assert.rejects(readTextIfThere(tmpdir()), { code: 'EISDIR' })
  await assert.rejects(listIfThere(join(tmpdir(), 'x'.repeat(300))), { code: 'ENAMETOOLONG' })
})

test('a process that has ended has no files', async () => {
  assert.match((await readProcess('self', 'stat')) ?? '', /^\d+ /)
  // The largest number that Linux gives is 4,194,304.
  assert.equal(await readProcess(4_194_305, 'stat'), null)
})
