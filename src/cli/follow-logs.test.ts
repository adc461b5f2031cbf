import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client, Reply } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { followLogs } from './follow-logs.ts'

type Line = Reply<'appLogs'>

const lost = new RackError('unreachable', 'the rack went away')

function lineAt(time: string, id = 'PAAAAAAAAAA'): Line {
  return {
    type: 'log',
    app: 'guestbook',
    process: 'web',
    id,
    release: 'RAAAAAAAAAA',
    stream: 'stdout',
    text: time,
    time,
  }
}

/** A rack that gives the lines of one connection after the other; each but the last is cut off. */
function flakyRack(connections: Line[][], isBack = true) {
  const asked: unknown[] = []
  let health = 0
  const client = {
    health: async () => {
      if (health++ > 0 && !isBack) throw lost
      return { status: 'ready' }
    },
    async *appLogs({ query }: { query: unknown }) {
      const lines = connections[asked.length]!
      asked.push(query)
      yield* lines
      if (asked.length < connections.length) throw lost
    },
  }
  return { client: client as unknown as Client, asked }
}

async function read(client: Client, patienceMs = 1000) {
  const texts: string[] = []
  let losses = 0
  const options = { signal: new AbortController().signal, onLost: () => void (losses += 1), patienceMs }
  const query = { tail: 10, follow: true }
  for await (const { text } of followLogs(client, 'guestbook', query, options)) texts.push(text)
  return { texts, losses }
}

test('a rack that comes back is read on, with no line twice and none lost', async () => {
  const [first, second, third] = [
    '2026-11-23T05:00:10.1Z',
    '2026-11-23T05:00:10.12Z',
    '2026-11-23T05:00:11Z',
  ] as const
  const early = lineAt('2026-11-23T05:00:09Z', 'PBBBBBBBBBB')
  const late = lineAt('2026-11-23T05:00:10.11Z', 'PBBBBBBBBBB')
  const { client, asked } = flakyRack([
    [lineAt(first), lineAt(second)],
    [early, late, lineAt(first), lineAt(second), lineAt(third)],
  ])
  assert.deepEqual(await read(client), { texts: [first, second, late.time, third], losses: 1 })
  assert.deepEqual(asked, [
    { tail: 10, follow: true },
    { tail: undefined, follow: true, since: '2026-11-23T05:00:05.120Z' },
  ])
})

test('lines of one instant are all said', async () => {
  const time = '2026-11-23T05:00:10Z'
  const { client } = flakyRack([[lineAt(time), lineAt(time)]])
  assert.deepEqual((await read(client)).texts, [time, time])
})

test('a rack that stays away ends it', async () => {
  const { client } = flakyRack([[lineAt('2026-11-23T05:00:10Z')], []], false)
  await assert.rejects(read(client, 50), lost)
})
