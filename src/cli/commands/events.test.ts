import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { WatchRecord } from '../../domain/event.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const records: WatchRecord[] = [
  { type: 'start', cursor: 6 },
  {
    type: 'event',
    cursor: 7,
    time: '2026-11-23T05:05:52.949Z',
    noun: 'operation',
    change: 'created',
    app: 'shop',
    id: 'OAAAAAAAAAA',
    facts: { kind: 'promote', status: 'running' },
  },
  {
    type: 'event',
    cursor: 8,
    time: '2026-11-23T05:05:53.949Z',
    noun: 'app',
    change: 'removed',
    app: 'shop',
    id: 'shop',
    facts: {},
  },
]

async function ask(args: string[], error?: RackError) {
  const asked: (number | null)[] = []
  const said = await typeCommand(['events', ...args], {
    rack: {
      async *watchEvents(after) {
        asked.push(after)
        yield* records
        if (error) throw error
      },
    },
  })
  return { ...said, asked }
}

test('an event is a line: its place, its time, what it is of and what has changed', async () => {
  const { code, stdout, asked } = await ask([])
  assert.equal(code, 0)
  assert.equal(
    stdout,
    '7 05:05:52 operation shop OAAAAAAAAAA created kind=promote status=running\n8 05:05:53 app shop removed\n',
  )
  assert.deepEqual(asked, [null])
})

test('as JSON all records are told, the first too; it goes on after a place', async () => {
  const { stdout, asked } = await ask(['--json', '--after', '6'])
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    records,
  )
  assert.deepEqual(asked, [6])
})

test('what is no cursor is a mistake of usage, and a place that is gone is said with the way out', async () => {
  assert.equal((await ask(['--after', 'x'])).code, 2)
  const gone = new RackError('gone', 'the events after 6 are no longer kept', {
    hint: 'Read the whole state.',
  })
  const { code, stderr } = await ask(['--after', '6'], gone)
  assert.equal(code, 1)
  assert.match(stderr, /no longer kept[^]*Read the whole state/)
})

test('a rack that goes away is told with the place to go on from', async () => {
  const { code, stderr } = await ask([], new RackError('unreachable', 'the daemon is stopping'))
  assert.equal(code, 1)
  assert.match(stderr, /rack events --after 8/)
})
