import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { boundLog } from './bound-log.ts'

test('a log that is too long moves, once, and whoever has it open writes on', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bound-'))
  const path = join(folder.path, 'a.log')
  assert.equal(boundLog(path, 10), false, 'none is none')
  await using log = await open(path, 'a')
  for (const text of ['0123456789', 'abcdefghij']) {
    await log.write(text)
    assert.equal(boundLog(path, 10), false, 'as long as it may be')
    await log.write('!')
    assert.equal(boundLog(path, 10), true)
    assert.deepEqual([await readFile(path, 'utf8'), await readFile(`${path}.1`, 'utf8')], ['', `${text}!`])
  }
  await log.write('next')
  assert.equal(await readFile(path, 'utf8'), 'next')
  assert.deepEqual(await readdir(folder.path), ['a.log', 'a.log.1'])
})

test('where no copy can be made the log is bounded all the same', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bound-'))
  const path = join(folder.path, 'a.log')
  await writeFile(path, '0123456789!')
  await mkdir(`${path}.1`)
  assert.equal(boundLog(path, 10), true)
  assert.equal(await readFile(path, 'utf8'), '')
})
