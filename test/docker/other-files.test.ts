import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { seesSameFiles } from '../../src/lib/process-identity.ts'

test('a process in a mount namespace of its own does not see the same files', async () => {
  const child = spawn('unshare', ['--mount', 'sh', '-c', 'echo in; exec sleep 30'])
  try {
    await once(child.stdout, 'data')
    assert.ok(child.pid)
    assert.equal(await seesSameFiles(child.pid), false)
  } finally {
    child.kill('SIGKILL')
  }
})
