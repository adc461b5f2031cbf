import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { samplePoints } from '../../test/chaos/orders.ts'
import type { Round } from '../../test/chaos/round.ts'
import type { Scenario } from '../../test/chaos/scenario.ts'
import { scenarios } from '../../test/chaos/scenarios.ts'
import { readTable, renderPage, rowOf } from '../../test/chaos/table.ts'

const names = scenarios.map(({ name }) => name)

test('the page of what was killed has rows of scenarios that there are', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reliability.md'), 'utf8')
  assert.equal(renderPage(readTable(page), names), page)
})

test('a sample of kill points is spread over all of a change, each once', () => {
  const calls = ['find', 'start', 'probe', 'probe', 'probe', 'settle', 'start', 'route', 'retire']
  const points = samplePoints(calls, 4)
  assert.deepEqual(
    points.map(({ verb, nth, when }) => `${when} ${verb} ${nth}`),
    ['before start 1', 'before probe 2', 'after start 2', 'before retire 1'],
  )
  const all = samplePoints(calls, 100)
  assert.equal(new Set(all.map((point) => JSON.stringify(point))).size, all.length)
  assert.deepEqual(all.at(-1), { verb: 'retire', nth: 1, when: 'after' })
  assert.equal(all.filter(({ verb }) => verb === 'probe').length, 2)
})

const scenario: Scenario = {
  name: 'phases',
  what: 'the daemon',
  where: 'a promote | or two',
  hitsDataPlane: false,
  run: async () => undefined,
}
const round = (more: Partial<Round>, failures: Record<string, number> = {}): Round => ({
  end: 'finished',
  answer: null,
  seen: { requests: 1000, failures, longestStallMs: 20.4, bodies: new Set(['one']) },
  wholeMs: 1500,
  note: '',
  ...more,
})

test('a row tells how often, what came of it, what failed, and what did not hold', () => {
  const rounds = [
    { where: 'start', round: round({}) },
    {
      where: 'route',
      round: round({ end: 'undone', answer: { code: 'unreachable', message: 'gone' } }, { ECONNRESET: 2 }),
    },
  ]
  const row = rowOf({ scenario, rounds, trouble: 'requests failed: route' }, '2026-01-31')
  assert.equal(
    row,
    '| `phases` | the daemon | a promote \\| or two | 2 | finished 1, undone 1 | 2,000 | 2 | 20 ms | 1.5 s | ' +
      '**did not hold**: requests failed: route; acknowledged 1; the command was told: unreachable 1; ' +
      'failed: ECONNRESET 2 | 2026-01-31 |',
  )
})

test('a run of some scenarios keeps the rows of the others', () => {
  const row = (name: string, date: string) =>
    rowOf({ scenario: { ...scenario, name }, rounds: [], trouble: null }, date)
  const [first = '', second = ''] = names
  const table = new Map([
    [first, row(first, '2026-01-01')],
    [second, row(second, '2026-01-01')],
    ['gone', row('gone', '2026-01-01')],
  ])
  const read = readTable(renderPage(table, names))
  assert.deepEqual([...read.keys()], [first, second])
  read.set(second, row(second, '2026-02-02'))
  assert.match(renderPage(read, names), /2026-01-01 \|\n.*2026-02-02 \|\n$/)
})
