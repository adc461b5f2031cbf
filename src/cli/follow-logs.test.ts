import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reply } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { followLogs } from './follow-logs.ts'

type Line = Reply<'appLogs'>

const lost = new RackError('unreachable', 'the rack went away')
const time = '2026-11-23T05:00:10Z'

function lineAt(cursor: string): Line {
  return {
    type: 'log',
    app: 'guestbook',
    process: 'web',
    id: 'PAAAAAAAAAA',
    release: 'RAAAAAAAAAA',
    stream: 'stdout',
    text: `line ${cursor}`,
    time,
    cursor,
  }
}

/** A rack that has lines of one instant, and is cut off after so many of them, again and again. */
function flakyRack(cursors: string[], linesPerConnection: number, isBack = true) {
  const asked: (string | undefined)[] = []
  let health = 0
  const client = {
    health: async () => {
      if (health++ > 0 && !isBack) throw lost
      return { status: 'ready' as const }
    },
  }
  async function* ask(after: string | undefined) {
    asked.push(after)
    const rest = cursors.slice(after === undefined ? 0 : cursors.indexOf(after) + 1)
    yield* rest.slice(0, linesPerConnection).map(lineAt)
    if (rest.length > linesPerConnection || !isBack) throw lost
  }
  return { client, ask, asked }
}

async function read({ client, ask }: ReturnType<typeof flakyRack>, patienceMs = 1000) {
  const cursors: string[] = []
  let losses = 0
  const options = { signal: new AbortController().signal, onLost: () => void (losses += 1), patienceMs }
  for await (const { cursor } of followLogs(client, ask, options)) cursors.push(cursor)
  return { cursors, losses }
}

test('fault 5: a rack that comes back is read on by cursor: of lines of one instant none is lost or said twice', async () => {
  const rack = flakyRack(['a', 'b', 'c', 'd', 'e'], 2)
  assert.deepEqual(await read(rack), { cursors: ['a', 'b', 'c', 'd', 'e'], losses: 2 })
  assert.deepEqual(rack.asked, [undefined, 'b', 'd'])
})

test('a rack that stays away ends it', async () => {
  await assert.rejects(read(flakyRack(['a'], 1, false), 50), lost)
})
