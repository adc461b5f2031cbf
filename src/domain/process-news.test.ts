import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  calmMs,
  endsBetween,
  longestGapMs,
  newsOf,
  shortestGapMs,
  toldBefore,
  type Sighting,
  type Told,
} from './process-news.ts'

const web: Sighting = {
  id: 'PAAAAAAAAAA',
  app: 'shop',
  type: 'web',
  kind: 'process',
  release: 'RAAAAAAAAAA',
  status: 'starting',
  detail: null,
  restarts: 0,
  outOfMemory: 0,
}
const running: Sighting = { ...web, status: 'running' }
const crashed = (times: number): Sighting => ({
  ...web,
  status: 'restarting',
  detail: `crashed (1) ×${times}`,
  restarts: times,
})

/** Shows an app at some moments; gives what is told at each. */
function watch() {
  let told: ReadonlyMap<string, Told> = new Map()
  return (seen: Sighting[], nowMs: number) => {
    const { news, dueMs, ...next } = newsOf(told, seen, nowMs)
    told = next.told
    const said = news.filter(({ change }) => change !== 'counted')
    return { told: said.map(({ change, process }) => `${change} ${process.status}`), dueMs }
  }
}

test('that a process is there, what becomes of it and that it is gone is told as it happens', () => {
  const look = watch()
  assert.deepEqual(look([web], 0).told, ['created starting'])
  assert.deepEqual(look([running], 1).told, ['changed running'])
  assert.deepEqual(look([running], 2), { told: [], dueMs: null })
  assert.deepEqual(look([], 3).told, ['removed running'], 'however soon')
})

test('a change that comes too soon is held back until it is due, and then the newest is told', () => {
  const look = watch()
  look([web], 0)
  look([running], 1000)
  assert.deepEqual(look([crashed(1)], 1001), { told: [], dueMs: 1000 + shortestGapMs })
  assert.deepEqual(look([crashed(2)], 1000 + shortestGapMs).told, ['changed restarting'])
  look([running], 1001 + shortestGapMs)
  assert.deepEqual(
    look([crashed(2)], 1002 + shortestGapMs),
    { told: [], dueMs: null },
    'it is as it was told',
  )
})

test('a process that crashes all day is told of a bounded number of times, and of its last state', () => {
  const look = watch()
  look([web], 0)
  let count = 0
  let dueMs: number | null = null
  const dayMs = 24 * 60 * 60 * 1000
  for (let [nowMs, times] = [0, 0]; nowMs < dayMs; nowMs += 11_000) {
    times++
    for (const seen of [running, crashed(times)]) {
      const { told, ...more } = look([seen], nowMs)
      count += told.length
      dueMs = more.dueMs
    }
  }
  const bound = dayMs / longestGapMs + Math.log2(longestGapMs / shortestGapMs) + 1
  assert.ok(count > 20 && count <= bound, String(count))
  assert.notEqual(dueMs, null, 'what is held back has its time')
})

test('one that was calm is told of at once again, and so is what has changed while nobody looked', () => {
  const look = watch()
  look([web], 0)
  for (let times = 1; times < 12; times++) look([crashed(times)], 2 ** times * shortestGapMs)
  const calm = 2 ** 12 * shortestGapMs + calmMs
  look([running], calm)
  assert.deepEqual(look([crashed(20)], calm + shortestGapMs).told, ['changed restarting'])
  const { news } = newsOf(toldBefore([web, { ...web, id: 'PBBBBBBBBBB' }]), [running], 5)
  assert.deepEqual(
    news.map(({ change, process }) => [change, process.id]),
    [
      ['changed', 'PAAAAAAAAAA'],
      ['removed', 'PBBBBBBBBBB'],
    ],
  )
})

test('each end is counted when it is seen, also while it is not told, and none twice', () => {
  const oom: Sighting = { ...crashed(1), outOfMemory: 1 }
  const { news, told } = newsOf(new Map(), [web], 0)
  assert.deepEqual(news[0], { change: 'created', process: web })
  const first = newsOf(told, [oom], 1)
  assert.deepEqual(first.news, [{ change: 'changed', process: oom }])
  const held = newsOf(first.told, [{ ...crashed(3), outOfMemory: 2 }], 2)
  assert.deepEqual(held.news, [{ change: 'counted', process: { ...oom, restarts: 3, outOfMemory: 2 } }])
  assert.deepEqual(newsOf(held.told, [{ ...crashed(3), outOfMemory: 2 }], 3).news, [])
  const unknown = { ...crashed(4), outOfMemory: null }
  assert.deepEqual(newsOf(held.told, [unknown], 3).news, [
    { change: 'counted', process: { ...oom, restarts: 4, outOfMemory: 2 } },
  ])
  assert.deepEqual(endsBetween({ restarts: 1, outOfMemory: 1 }, { restarts: 3, outOfMemory: 2 }), {
    restarts: 2,
    outOfMemory: 1,
  })
  assert.deepEqual(endsBetween({ restarts: 3, outOfMemory: 2 }, oom), { restarts: 0, outOfMemory: 0 })
})
