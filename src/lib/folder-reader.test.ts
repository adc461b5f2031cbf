import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, readFileSync } from 'node:fs'
import { mkdir, mkdtempDisposable, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFolderReader } from './folder-reader.ts'

async function makeFolders() {
  const top = await mkdtempDisposable(join(tmpdir(), 'folder-reader-'))
  const [inside, outside] = [join(top.path, 'in'), join(top.path, 'in-and-out')]
  await mkdir(join(inside, 'deep'), { recursive: true })
  await mkdir(outside)
  await writeFile(join(inside, 'deep/file'), 'inside')
  await writeFile(join(outside, 'key'), 'outside')
  return Object.assign(top, { inside, outside })
}

const noWait = { timeout: 20_000 }

test('files are read through links that stay in the folder, also when it is named by a link', async () => {
  await using folders = await makeFolders()
  await symlink('deep', join(folders.inside, 'other'))
  await symlink(join(folders.inside, 'deep/file'), join(folders.inside, 'whole'))
  await symlink(folders.inside, join(folders.path, 'alias'))
  for (const directory of [folders.inside, join(folders.path, 'alias')]) {
    const folder = createFolderReader(directory)
    for (const path of ['deep/file', 'other/file', 'whole', './deep/../deep/file']) {
      assert.equal(folder.read(path, 100)?.toString(), 'inside', path)
    }
    assert.equal(folder.read('deep/file', 3)?.toString(), 'insi')
    assert.equal(folder.read('deep/missing', 100), null)
    assert.equal(folder.read('deep/file/below', 100), null)
  }
})

test('nothing that lies outside is opened, by whatever name', async () => {
  await using folders = await makeFolders()
  const { inside, outside } = folders
  await symlink(join(outside, 'key'), join(inside, 'absolute'))
  await symlink('../in-and-out/key', join(inside, 'relative'))
  await symlink('../in-and-out', join(inside, 'folder'))
  await symlink('relative', join(inside, 'chain'))
  await symlink('/dev/null', join(inside, 'device'))
  await symlink('/proc/self/root/etc/passwd', join(inside, 'proc'))
  const folder = createFolderReader(inside)
  const ways = ['absolute', 'relative', 'folder/key', 'chain', 'device', 'proc', '../in-and-out/key']
  for (const path of ways) assert.throws(() => folder.open(path), /a link that leads out of the directory/)
  for (const path of ['absolute', 'folder/key', 'deep/../folder/key']) {
    assert.throws(() => folder.openItself(path), /ELOOP|it is a link now, or lies behind one/, path)
  }
})

test('pipes, sockets and folders are refused, and nobody is waited for', noWait, async () => {
  await using folders = await makeFolders()
  const folder = createFolderReader(folders.inside)
  execFileSync('mkfifo', [join(folders.inside, 'pipe')])
  const listener = createServer()
  await new Promise<void>((resolve) => listener.listen(join(folders.inside, 'socket'), resolve))
  try {
    for (const path of ['pipe', 'socket', 'deep']) {
      assert.throws(() => folder.open(path), /^Error: it is no file$/, path)
      assert.throws(() => folder.openItself(path), /^Error: it is no file$/, path)
    }
  } finally {
    listener.close()
  }
})

test('a folder that becomes a link leads nowhere; what is open stays what it was', async () => {
  await using folders = await makeFolders()
  const folder = createFolderReader(folders.inside)
  const file = folder.openItself('deep/file')
  assert.ok(file !== null)
  await rename(join(folders.inside, 'deep'), join(folders.inside, 'moved'))
  await writeFile(join(folders.outside, 'file'), 'outside')
  await symlink(folders.outside, join(folders.inside, 'deep'))
  assert.equal(readFileSync(file, 'utf8'), 'inside')
  closeSync(file)
  assert.throws(() => folder.openItself('deep/file'), /lies behind one/)
  assert.throws(() => folder.open('deep/file'), /leads out/)
})
