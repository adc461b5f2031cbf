import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WatchRecord } from '../domain/event.ts'
import { RackError } from '../domain/error.ts'
import { createClient } from '../client/client.ts'
import { serveOperations, tokens } from '../../test/support/scripted-operations.ts'

const event: WatchRecord = {
  type: 'event',
  cursor: 8,
  time: '2026-11-23T04:00:00.000Z',
  noun: 'operation',
  change: 'created',
  app: 'guestbook',
  id: 'OAAAAAAAAAA',
  facts: { kind: 'promote', status: 'running' },
}

test('events are lines that come as they happen, until the client leaves', async () => {
  const left = Promise.withResolvers<void>()
  const read = Promise.withResolvers<void>()
  const asked: (number | null)[] = []
  await using rack = await serveOperations({
    async *watchEvents(after, { signal }) {
      asked.push(after)
      signal.addEventListener('abort', () => left.resolve())
      yield { type: 'start', cursor: 7 }
      await read.promise
      yield event
      await left.promise
    },
  })
  const seen: unknown[] = []
  for await (const record of rack.client.watchEvents({ query: { after: 7 } })) {
    seen.push(record)
    read.resolve()
    if (seen.length === 2) break
  }
  assert.deepEqual(seen, [{ type: 'start', cursor: 7 }, event])
  await left.promise
  assert.deepEqual(asked, [7])
})

test('a place that is gone is a 410 with the way out; one that is none is refused', async () => {
  await using rack = await serveOperations({
    // eslint-disable-next-line require-yield -- it has nothing to say before it refuses
    async *watchEvents() {
      throw new RackError('gone', 'the events after 1 are no longer kept', { hint: 'Read the whole state.' })
    },
  })
  const first = async (after: number) => {
    for await (const record of rack.client.watchEvents({ query: { after } })) return record
    return null
  }
  await assert.rejects(first(1), { code: 'gone', hint: 'Read the whole state.' })
  await assert.rejects(first(-1), { code: 'invalid' })
})

test('a caller of some apps hears of those, and from where', async () => {
  await using rack = await serveOperations({
    async *watchEvents() {
      yield { type: 'start', cursor: 6 }
      yield { ...event, cursor: 7, app: 'blog' }
      yield event
    },
  })
  const client = createClient({ url: rack.url, token: tokens.scoped })
  assert.deepEqual(await Array.fromAsync(client.watchEvents()), [{ type: 'start', cursor: 6 }, event])
})
