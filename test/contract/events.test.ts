import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchRecord } from '../../src/domain/event.ts'
import { RackError } from '../../src/domain/error.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

const compose = 'services:\n  web: { image: shop, command: sleep }\n'

/** Watches a rack; each record is waited for. */
function watch({ operations }: MemoryRack, after: number | null) {
  const leaving = new AbortController()
  const control = { signal: leaving.signal, report: () => undefined }
  const records = operations.watchEvents(after, control)[Symbol.asyncIterator]()
  return {
    next: async () => ((await records.next()) as IteratorYieldResult<WatchRecord>).value,
    leave: () => leaving.abort(new RackError('cancelled', 'the client is gone')),
  }
}

test('a watcher is told from where it follows, and then what happens as it happens', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('before')
  const { next, leave } = watch(rack, null)
  const start = await next()
  assert.deepEqual(start, { type: 'start', cursor: 1 })
  const coming = next()
  await rack.operations.createApp('shop')
  const { time: _time, ...event } = (await coming) as WatchRecord & { type: 'event' }
  const expected = { noun: 'app', change: 'created', app: 'shop', id: 'shop', facts: { status: 'running' } }
  assert.deepEqual(event, { type: 'event', cursor: 2, ...expected })
  const never = next()
  leave()
  await assert.rejects(never, { code: 'cancelled' })
})

test('who goes on after the last event that was read misses none and gets none twice', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const first = watch(rack, 0)
  assert.deepEqual(await first.next(), { type: 'start', cursor: 0 })
  const { cursor } = await first.next()
  first.leave()
  const release = await rack.deploy('shop', compose)
  const second = watch(rack, cursor)
  assert.deepEqual(await second.next(), { type: 'start', cursor })
  const told: string[] = []
  for (;;) {
    const event = await second.next()
    if (event.type !== 'event') assert.fail('a second start')
    told.push([event.noun, event.facts['kind'] ?? event.id, event.facts['status'] ?? ''].join(' ').trim())
    if (told.at(-1) === 'operation promote complete') break
  }
  second.leave()
  assert.deepEqual(told, [
    'operation build running',
    `release ${release}`,
    'operation build complete',
    'app shop updating',
    'operation promote running',
    'app shop running',
    'operation promote complete',
  ])
})

test('a place that is not of this sequence is gone, with the way out', async () => {
  await using rack = await startMemoryRack()
  await assert.rejects(watch(rack, 4711).next(), { code: 'gone', hint: /Read the whole state/ })
})
