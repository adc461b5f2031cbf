import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtempDisposable, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createKeyFile, keyBytes, readKeyFile } from './key-file.ts'

const makeDirectory = () => mkdtempDisposable(join(tmpdir(), 'key-file-'))

test('a key that was made is read again, and nothing lies beside it', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'new', 'key')
  assert.equal(await readKeyFile(path), null)
  const fresh = randomBytes(keyBytes)
  assert.deepEqual(await createKeyFile(path, fresh), fresh)
  assert.deepEqual(await readKeyFile(path), fresh)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(directory.path, 'new'))).mode & 0o777, 0o700)
  assert.deepEqual(await readdir(join(directory.path, 'new')), ['key'])
})

test('a key that is there is never replaced', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'key')
  const first = await createKeyFile(path, randomBytes(keyBytes))
  assert.deepEqual(await createKeyFile(path, randomBytes(keyBytes)), first)
  assert.deepEqual(await readKeyFile(path), first)
})

test('a killed maker stands in nobody’s way', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'key')
  await writeFile(join(directory.path, `.key.${process.pid}.tmp`), 'half')
  await createKeyFile(path, randomBytes(keyBytes))
  assert.deepEqual(await readdir(directory.path), ['key'])
})

test('what is no key, or others may read, is refused', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'key')
  const good = `${randomBytes(keyBytes).toString('base64')}\n`
  const refused = async (text: string, mode: number, message: RegExp) => {
    await writeFile(path, text)
    await chmod(path, mode)
    await assert.rejects(readKeyFile(path), { code: 'store-failed', message })
    await assert.rejects(createKeyFile(path, randomBytes(keyBytes)), { code: 'store-failed', message })
  }
  await refused(good, 0o644, /mode 0644/)
  await refused(good, 0o660, /mode 0660/)
  await refused(good.slice(1), 0o600, /does not hold a key/)
  await refused(`${good}x`, 0o600, /does not hold a key/)
  await refused('', 0o600, /does not hold a key/)
  await mkdir(join(directory.path, 'folder'))
  await assert.rejects(readKeyFile(join(directory.path, 'folder')), {
    code: 'store-failed',
    message: /not a file/,
  })
})

test('a place where no file can be made is said', async () => {
  await using directory = await makeDirectory()
  await writeFile(join(directory.path, 'file'), '')
  const path = join(directory.path, 'file', 'below', 'key')
  await assert.rejects(createKeyFile(path, randomBytes(keyBytes)), {
    code: 'store-failed',
    hint: /permissions/,
  })
})

test('a link to the key is followed', async () => {
  await using directory = await makeDirectory()
  const key = await createKeyFile(join(directory.path, 'key'), randomBytes(keyBytes))
  await symlink('key', join(directory.path, 'link'))
  assert.deepEqual(await readKeyFile(join(directory.path, 'link')), key)
})
