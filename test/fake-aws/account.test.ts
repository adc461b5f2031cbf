import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFakeAccount } from './account.ts'

test('files of accounts whose process is dead go, those of living ones stay', async () => {
  // No process of this machine has this start.
  const left = join(tmpdir(), `fake-aws-${process.pid}.1-left`)
  await mkdir(left, { recursive: true })
  const first = await createFakeAccount()
  const second = await createFakeAccount()
  assert.deepEqual([left, first.directory, second.directory].map(existsSync), [false, true, true])
  for (const { clock, directory } of [first, second]) {
    clock.close()
    await rm(directory, { recursive: true })
  }
})
