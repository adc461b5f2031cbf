import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { selectApp } from './select-app.ts'

test('the argument, then --app, then RACK_APP, then .rack/app above, then the name of the directory', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'app-'))
  const directory = join(folder.path, 'my-shop/src')
  await mkdir(join(folder.path, 'my-shop/.rack'), { recursive: true })
  await mkdir(directory)
  const all = { positional: 'one', option: 'two', env: { RACK_APP: 'three' }, directory }
  assert.deepEqual(selectApp(all), { name: 'one', from: 'argument' })
  assert.deepEqual(selectApp({ ...all, positional: undefined }), { name: 'two', from: '--app' })
  assert.deepEqual(selectApp({ env: all.env, directory }), { name: 'three', from: 'RACK_APP' })
  assert.deepEqual(selectApp({ env: {}, directory }), { name: 'src', from: 'directory' })
  await writeFile(join(folder.path, 'my-shop/.rack/app'), 'shop\n')
  assert.deepEqual(selectApp({ env: { RACK_APP: '' }, directory }), { name: 'shop', from: '.rack/app' })
})

test('the name of a directory is made fit, or refused with what to type', () => {
  const nameOf = (directory: string) => selectApp({ env: {}, directory }).name
  assert.equal(nameOf('/nowhere/My_App 2'), 'my-app-2')
  assert.equal(nameOf('/nowhere/2048-game'), 'game')
  for (const bad of ['/', '/nowhere/ab', '/nowhere/日本']) {
    assert.throws(() => nameOf(bad), { code: 'usage', hint: /--app NAME/ }, bad)
  }
})
