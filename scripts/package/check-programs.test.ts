import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, open, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkPrograms } from './check-programs.ts'

test('a package holds programs of its own machine alone, wherever they lie', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'programs-'))
  await mkdir(join(folder.path, 'bin'))
  await writeFile(join(folder.path, 'bin/rack'), '#!/bin/sh\n')
  await writeFile(join(folder.path, 'empty'), '')
  assert.deepEqual(await checkPrograms(folder.path, 'x64'), [])
  // The head of the Node that runs this test, then the same as its linker would write it for arm64.
  await using node = await open(process.execPath)
  const { buffer: head } = await node.read(Buffer.alloc(64), 0, 64, 0)
  const path = join(folder.path, 'bin/node')
  await writeFile(path, head)
  const arch = process.arch as 'x64' | 'arm64'
  const other = arch === 'x64' ? 'arm64' : 'x64'
  assert.deepEqual(await checkPrograms(folder.path, arch), [path])
  await assert.rejects(checkPrograms(folder.path, other), {
    message: new RegExp(`bin/node is made for ${arch}`),
  })
  head.writeUInt16LE(arch === 'x64' ? 0xb7 : 0x3e, 18)
  await writeFile(path, head)
  assert.deepEqual(await checkPrograms(folder.path, other), [path])
})
