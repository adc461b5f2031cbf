import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control } from '../../src/domain/control.ts'
import { RackError } from '../../src/domain/error.ts'
import type { RackEvent } from '../../src/domain/event.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { OperationsRoom } from '../../src/operations/create-operations.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

/** Nobody watches a new copy, so that one may crash when it will. */
const compose = (words: string) =>
  `services:\n  web: { image: shop, command: ${words}, labels: { rack.deployment.watch: 0 } }\n`

/** Tells of processes until it is left. */
function noting(room: OperationsRoom) {
  const leaving = new AbortController()
  const control: Control = { signal: leaving.signal, report: () => undefined }
  const ended = room.noteProcesses(control)
  return {
    async [Symbol.asyncDispose]() {
      leaving.abort(new RackError('cancelled', 'the daemon is stopping'))
      await ended
    },
  }
}

const processEvents = async ({ store }: MemoryRack): Promise<RackEvent[]> =>
  (await store.events.after(0, 500)).filter(({ noun }) => noun === 'process')

/** Settles when an event is there that has all of this. */
async function tells(rack: MemoryRack, wanted: Partial<RackEvent> & { facts?: RackEvent['facts'] }) {
  const isIt = (event: RackEvent) => {
    const { facts = {}, ...about } = wanted
    const has = (all: object, some: object) =>
      Object.entries(some).every(([name, value]) => Reflect.get(all, name) === value)
    return has(event, about) && has(event.facts, facts)
  }
  const what = `an event of ${JSON.stringify(wanted)}`
  return await until(async () => (await processEvents(rack)).find(isIt), { deadlineMs: 20_000, what })
}

test('what becomes of copies is told as events: they come, run, crash, drain and go', async () => {
  await using rack = await startMemoryRack()
  await using _noting = noting(rack.room)
  await rack.operations.createApp('shop')
  const release = await rack.deploy('shop', compose('sleep'))
  const [web] = await rack.engine.processes({ owner: appOwner('shop') }, rack.control)
  const { id } = web!
  await tells(rack, { id, change: 'created', facts: { type: 'web', kind: 'process', release } })
  await tells(rack, { id, facts: { status: 'running' } })
  await rack.deploy('shop', compose('pause 500 exit 3'))
  await tells(rack, { id, change: 'removed' })
  const crashes = async () =>
    (await processEvents(rack)).some(({ facts }) => /^crashed \(3\) ×\d+$/.test(facts['detail'] ?? ''))
  await until(crashes, { deadlineMs: 20_000, what: 'a crash to be told' })
})

test('each time that a process is started again is counted, also when it is not told, and kept when it is gone', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const counted = async () => (await rack.store.processes.ends())[0]?.restarts ?? 0
  {
    await using _noting = noting(rack.room)
    await rack.deploy('shop', compose('pause 500 exit 3'))
    await until(async () => (await counted()) >= 3, { deadlineMs: 20_000, what: 'three ends to be counted' })
  }
  // What another daemon sees is compared with what this one has written down.
  await rack.operations.scaleProcesses('shop', { web: { count: 0 } }, rack.control)
  const before = await counted()
  await using _noting = noting(await rack.restart())
  await tells(rack, { change: 'removed' })
  assert.equal(await counted(), before)
})

test('a one-off that is over before anybody looks is told all the same, with its end', async () => {
  await using rack = await startMemoryRack()
  await using _noting = noting(rack.room)
  await rack.operations.createApp('shop')
  await rack.deploy('shop', compose('sleep'))
  const request = { type: 'web', command: ['exit', '7'], release: null, timeoutMs: null }
  const { process: running, exit } = await rack.operations.runProcess('shop', request, null, rack.control)
  assert.equal(await exit, 7)
  const facts = { kind: 'one-off', status: 'crashed', detail: 'crashed (7)' }
  await tells(rack, { id: running.id, change: 'removed', facts })
  const ofIt = (await processEvents(rack)).filter(({ id }) => id === running.id)
  assert.equal(ofIt.filter(({ change }) => change === 'removed').length, 1)
})

test('what has changed while the engine or the daemon was away is told when it is back', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  await rack.deploy('shop', compose('sleep'))
  const [first] = await rack.engine.processes({ owner: appOwner('shop') }, rack.control)
  {
    await using _noting = noting(rack.room)
    await tells(rack, { id: first!.id, change: 'created' })
  }
  await rack.operations.restartApp('shop', null, rack.control)
  const [second] = await rack.engine.processes({ owner: appOwner('shop') }, rack.control)
  rack.engine.isReachable = false
  await using _noting = noting(await rack.restart())
  rack.engine.isReachable = true
  await tells(rack, { id: first!.id, change: 'removed' })
  await tells(rack, { id: second!.id, change: 'created' })
  const ofFirst = (await processEvents(rack)).filter(
    ({ id, change }) => id === first!.id && change === 'created',
  )
  assert.equal(ofFirst.length, 1, 'what was told by the first daemon is told once')
})
