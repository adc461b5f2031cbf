import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { until } from './poll.ts'
import { identifyProcess } from './process-identity.ts'
import { endProcessTree, processTree } from './process-tree.ts'

test('a process is ended with all that it started', { timeout: 20_000 }, async () => {
  const shell = spawn('sh', ['-c', 'sleep 300 & sh -c "sleep 300; true"; true'], { stdio: 'ignore' })
  const ended = once(shell, 'exit')
  const tree = await until(
    async () => {
      const found = await processTree(shell.pid!)
      return found.length === 4 && found
    },
    { deadlineMs: 5000, what: 'the children' },
  )
  await endProcessTree(shell.pid!, 5000)
  await ended
  // Those that nobody has waited for yet are zombies, which counts as gone.
  for (const pid of tree) assert.equal(await identifyProcess(pid), null)
})

test('a process that is gone is no error', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  await endProcessTree(child.pid!, 100)
})
