import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openObjects } from '../../src/objects/directory.ts'
import { runOnSmallDisk } from '../support/small-disk.ts'
import { objectsContract } from './objects.ts'

objectsContract('directory', async () => {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-objects-'))
  const path = join(directory.path, 'objects')
  return {
    open: async (options) => openObjects(path, options),
    leftovers: async () => readdir(join(path, 'incoming')),
    [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
  }
})

test(
  'on a full disk a put is refused, leaves nothing, and a smaller one goes on',
  { timeout: 30_000 },
  async () => {
    const program = fileURLToPath(new URL('./objects-filler.ts', import.meta.url))
    assert.deepEqual(JSON.parse(await runOnSmallDisk({ program, kibibytes: 1024 })), {
      first: 'disk-full',
      leftovers: [],
      second: 'ok',
      keys: ['sources/small'],
    })
  },
)
