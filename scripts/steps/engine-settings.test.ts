import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeEngineSettings } from './engine-settings.ts'

test('a fresh engine keeps apps running while it is restarted; what somebody has written stays', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'engine-settings-'))
  const path = join(folder.path, 'docker/daemon.json')
  assert.equal(await writeEngineSettings(path), true)
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { 'live-restore': true })
  await writeFile(path, '{"debug": true}')
  assert.equal(await writeEngineSettings(path), false)
  assert.equal(await readFile(path, 'utf8'), '{"debug": true}')
})
