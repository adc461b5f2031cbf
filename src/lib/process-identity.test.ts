import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { until } from './poll.ts'
import { identifyProcess, isSameProcess, parseStat, seesSameFiles } from './process-identity.ts'

test('this process knows itself', async () => {
  const self = await identifyProcess(process.pid)
  assert.ok(self)
  assert.ok(self.startTicks > 0)
  assert.ok(await isSameProcess(process.pid, { commandIncludes: 'node', startTicks: self.startTicks }))
})

test('a number that now belongs to another program does not pass', async () => {
  const self = await identifyProcess(process.pid)
  assert.ok(self)
  assert.equal(await isSameProcess(process.pid, { commandIncludes: 'haproxy-of-another-rack' }), false)
  assert.equal(await isSameProcess(process.pid, { startTicks: self.startTicks + 1 }), false)
})

test('an ended process is nothing', async () => {
  const child = spawn('true')
  const { pid } = child
  assert.ok(pid)
  await once(child, 'exit')
  assert.equal(await identifyProcess(pid), null)
  for (const nonsense of [0, -1, 1.5, Number.NaN]) assert.equal(await identifyProcess(nonsense), null)
})

test('a zombie is nothing, though its number still answers', async () => {
  // The shell becomes a sleep, which never reaps the child that the shell had started.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'])
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    const isGone = async () => (await identifyProcess(pid)) === null
    await until(isGone, { deadlineMs: 5000, intervalMs: 10, what: `process ${pid} to be a zombie` })
    assert.doesNotThrow(() => process.kill(pid, 0))
  } finally {
    parent.kill('SIGKILL')
  }
})

test('a child sees the same files', async () => {
  assert.equal(await seesSameFiles(process.pid), true)
  assert.equal(await seesSameFiles(process.ppid), true)
})

test('a name with spaces and brackets does not shift the fields', () => {
  const after = Array.from({ length: 30 }, (_, i) => String(i + 100))
  const stat = `42 (a ) b (c) S ${after.join(' ')}`
  assert.deepEqual(parseStat(stat), { state: 'S', startTicks: 118 })
})
