import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogQuery } from '../../../domain/engine.ts'
import { appOwner } from '../../../domain/owner.ts'
import type { AwsParts } from '../parts.ts'
import { usualIntervals } from '../parts.ts'
import { readLogs } from './read-logs.ts'

interface Told {
  eventId: string
  timestamp: number
  message: string
  logStreamName: string
}

const told = (number: number, timestamp: number, stream = 'web.R1/main/abc'): Told => ({
  eventId: String(number).padStart(5, '0'),
  timestamp,
  message: `line ${number}`,
  logStreamName: stream,
})

/** A log of one app whose lines are given two a page; `events` may grow. */
function logOf(events: Told[]) {
  const spans: [number, number | undefined][] = []
  const logs = {
    describeLogGroups: async () => ({ logGroups: [{ logGroupName: '/rack/r1/shop', creationTime: 1000 }] }),
    filterLogEvents: async (input: { startTime: number; endTime?: number; nextToken?: string }) => {
      if (!input.nextToken) spans.push([input.startTime, input.endTime])
      const { startTime, endTime = Infinity } = input
      const at = Number(input.nextToken ?? 0)
      const fitting = events
        .filter(({ timestamp }) => timestamp >= startTime && timestamp <= endTime)
        .toSorted((a, b) => a.timestamp - b.timestamp)
      const more = at + 2 < fitting.length
      return { events: fitting.slice(at, at + 2), ...(more && { nextToken: String(at + 2) }) }
    },
  }
  const clients = { logs } as unknown as AwsParts['clients']
  return { parts: { clients, rack: 'r1', intervals: { ...usualIntervals, tasks: 1 } }, spans }
}

const owner = appOwner('shop')

async function textsOf(parts: Parameters<typeof readLogs>[0], query: Partial<LogQuery>) {
  const signal = AbortSignal.timeout(5000)
  const lines = await Array.fromAsync(readLogs(parts, { owner, follow: false, ...query }, { signal }))
  return lines.map(({ text }) => text)
}

test('all pages are read; what is no process of the app is left out', async () => {
  const init = told(3, 3000, 'web.R1/rack/abc')
  const { parts } = logOf([told(1, 1000), told(2, 2000), init, told(4, 4000, 'worker.R1/main/def')])
  assert.deepEqual(await textsOf(parts, {}), ['line 1', 'line 2', 'line 4'])
  assert.deepEqual(await textsOf(parts, { types: ['worker'] }), ['line 4'])
  assert.deepEqual(await textsOf(parts, { grep: '/[12]$/', since: new Date(2000).toISOString() }), ['line 2'])
})

test('behind a cursor comes what is behind it, also at the same instant', async () => {
  const { parts } = logOf([told(1, 1000), told(2, 1000), told(3, 1000), told(4, 2000)])
  const after = '1000.00002'
  assert.deepEqual(await textsOf(parts, { after }), ['line 3', 'line 4'])
  await assert.rejects(textsOf(parts, { after: 'no cursor' }), { code: 'invalid' })
})

test('the newest lines are looked for backwards, no line twice', async () => {
  const now = Date.now()
  const { parts, spans } = logOf([told(1, now - 400_000), told(2, now - 200_000), told(3, now - 1000)])
  assert.deepEqual(await textsOf(parts, { tail: 2 }), ['line 2', 'line 3'])
  assert.equal(spans.length, 2)
  assert.ok(spans[1]![1]! < spans[0]![0])
  assert.deepEqual(await textsOf(parts, { tail: 0 }), [])
})

test('who follows gets what comes late, once', async () => {
  const events = [told(1, 10_000), told(2, 20_000)]
  const { parts } = logOf(events)
  const end = new AbortController()
  const seen: string[] = []
  for await (const { text } of readLogs(parts, { owner, follow: true }, { signal: end.signal })) {
    seen.push(text)
    if (seen.length === 2) events.push(told(3, 19_000), told(4, 20_000))
    if (seen.length === 4) end.abort()
  }
  assert.deepEqual(seen, ['line 1', 'line 2', 'line 3', 'line 4'])
})
