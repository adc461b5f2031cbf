import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

async function openShop(): Promise<MemoryRack & { release: string }> {
  const rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const release = await rack.deploy('shop', 'services: { web: { image: shop, command: sleep } }')
  return { ...rack, release }
}

const runs = async ({ store }: MemoryRack) =>
  (await store.operations.list('shop', 9)).filter(({ kind }) => kind === 'run')

const request = (...command: string[]) => ({ type: 'web', command, release: null, timeoutMs: null })

test('a run is a row of the journal: who, of what, and how its process has ended', async () => {
  await using rack = await openShop()
  const { exit } = await rack.operations.runProcess(
    'shop',
    request('pause', '1000', 'exit', '7'),
    null,
    rack.control,
  )
  const [begun] = await runs(rack)
  assert.deepEqual(
    [begun?.actor, begun?.status, begun?.intent],
    ['test', 'running', { release: rack.release, process: 'web' }],
  )
  // A run that is under way keeps no change from being made, and is nothing to be taken up.
  await rack.operations.scaleProcesses('shop', { web: { count: 2 } }, rack.control)
  assert.deepEqual(await rack.room.abandoned(), [])
  assert.equal(await exit, 7)
  const [ended, ...more] = await runs(rack)
  assert.deepEqual([ended?.status, ended?.intent.exitCode, more], ['complete', 7, []])
})

test('a run that cannot be started is a row that says why; what is refused is none', async () => {
  await using rack = await openShop()
  const unknown = { ...request('exit', '0'), type: 'none' }
  await assert.rejects(rack.operations.runProcess('shop', unknown, null, rack.control), { code: 'not-found' })
  assert.deepEqual(await runs(rack), [])
  rack.engine.run = async () => Promise.reject(new RackError('engine-failed', 'no such command'))
  const failing = rack.operations.runProcess('shop', request('nothing'), null, rack.control)
  await assert.rejects(failing, { code: 'engine-failed' })
  const [row] = await runs(rack)
  assert.deepEqual([row?.status, row?.error?.message], ['failed', 'no such command'])
})

test('a daemon that dies leaves a run that goes on, and closes one that never began', async () => {
  await using rack = await openShop()
  await rack.operations.runProcess('shop', request('pause', '1000', 'exit', '3'), null, rack.control)
  const lost = await rack.store.operations.begin('shop', 'run', 'test', { process: 'web' })
  const next = await rack.restart()
  assert.equal(await next.recover(rack.control), true)
  const [second, first] = await runs(rack)
  assert.deepEqual([second?.id, second?.status, second?.error?.code], [lost.id, 'failed', 'cancelled'])
  assert.equal(first?.status, 'running')
  const isOver = async () => (await rack.store.operations.get(first.id))?.status === 'complete'
  await until(isOver, { deadlineMs: 20_000, what: 'the run to end' })
  assert.equal((await rack.store.operations.get(first.id))?.intent.exitCode, 3)
})

test('a run whose process was made and never started is closed: it has no end that would', async () => {
  await using rack = await openShop()
  const { engine, control, store } = rack
  const lost = await store.operations.begin('shop', 'run', 'test', { process: 'web' })
  const [web] = await engine.processes({}, control)
  const made = {
    ...web!,
    id: 'PMADEONLYXX',
    kind: 'one-off' as const,
    status: 'starting' as const,
    started: null,
  }
  const processes = engine.processes.bind(engine)
  engine.processes = async (filter, given) =>
    filter.operation === lost.id ? [made] : await processes(filter, given)
  assert.equal(await (await rack.restart()).recover(control), true)
  const row = await store.operations.get(lost.id)
  assert.deepEqual([row?.status, row?.error?.code], ['failed', 'cancelled'])
})
