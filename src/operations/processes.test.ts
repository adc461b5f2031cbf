import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectTerminal } from '../../test/support/collect-terminal.ts'
import { startMemoryRack } from '../../test/support/memory-rack.ts'

test('only who looks at a process waits for a sample of its cpu and memory', async () => {
  await using rack = await startMemoryRack()
  const { operations, engine, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', 'services: { web: { image: shop, command: sleep } }')
  const [web] = await operations.listProcesses('shop', {}, control)
  assert.ok(web)
  const sampled: boolean[] = []
  const list = engine.processes.bind(engine)
  engine.processes = async (filter, own) => {
    sampled.push(filter.stats ?? false)
    return await list(filter, own)
  }
  await operations.execProcess(
    'shop',
    { process: web.id, command: ['exit', '0'] },
    collectTerminal().terminal,
    control,
  )
  await operations.stopProcess('shop', web.id, control)
  assert.deepEqual(new Set(sampled), new Set([false]))
  const [again] = await operations.listProcesses('shop', {}, control)
  await operations.getProcess('shop', again?.id ?? '', control)
  assert.equal(sampled.at(-1), true)
})

test('a one-off that has ended is still known, and nothing more can be done with it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', 'services: { web: { image: shop, command: sleep } }')
  const request = { type: 'web', command: ['exit', '7'], release: null, timeoutMs: null }
  const { process: running, exit } = await operations.runProcess('shop', request, null, control)
  assert.equal(await exit, 7)

  const { status, detail, exitCode, ended } = await operations.getProcess('shop', running.id, control)
  assert.deepEqual([status, detail, exitCode], ['crashed', 'crashed (7)', 7])
  assert.ok(Date.parse(ended ?? '') >= Date.parse(running.started ?? ''))
  const idsOf = async (filter: { all?: boolean; type?: string }) =>
    (await operations.listProcesses('shop', filter, control)).map(({ id }) => id)
  assert.ok(!(await idsOf({})).includes(running.id))
  assert.ok((await idsOf({ all: true, type: 'web' })).includes(running.id))
  assert.ok(!(await idsOf({ all: true, type: 'worker' })).includes(running.id))
  const stopping = operations.stopProcess('shop', running.id, control)
  await assert.rejects(stopping, { code: 'conflict', message: /has ended/ })
  await assert.rejects(operations.getProcess('shop', 'PNOTTHEREXX', control), { code: 'not-found' })
})
