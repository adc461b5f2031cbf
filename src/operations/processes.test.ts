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
