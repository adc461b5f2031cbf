import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { tryLockFile } from './file-lock.ts'

test('a lock is one holder’s at a time, and leaves nothing but its file', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'file-lock-'))
  const path = join(folder.path, 'x.lock')
  const first = tryLockFile(path)
  assert.ok(first)
  assert.equal(tryLockFile(path), null)
  first[Symbol.dispose]()
  using second = tryLockFile(path)
  assert.ok(second)
  assert.deepEqual(await readdir(folder.path), ['x.lock'])
})

test('one that asks for the lock, and does not have it yet, keeps no other from it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'file-lock-'))
  const path = join(folder.path, 'x.lock')
  using asking = new DatabaseSync(path)
  asking.exec('begin; select * from sqlite_schema')
  using lock = tryLockFile(path)
  assert.ok(lock)
})

test('a lock ends with its process, killed or not', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'file-lock-'))
  const path = join(folder.path, 'x.lock')
  const module = JSON.stringify(new URL('file-lock.ts', import.meta.url))
  const script = `import { tryLockFile } from ${module}; tryLockFile(process.argv[1]); console.log('held'); process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  assert.equal(tryLockFile(path), null)
  child.kill('SIGKILL')
  await once(child, 'exit')
  using lock = tryLockFile(path)
  assert.ok(lock)
})
