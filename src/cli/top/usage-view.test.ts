import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppUsage, CopyUsage } from '../../domain/app-usage.ts'
import { formatUsage } from './usage-table.ts'
import { viewUsage } from './usage-view.ts'

const mebibyte = 2 ** 20

interface Told {
  at: number
  cpuSeconds: number
  requests: number
  answerMs?: number | null
}

function copy(
  id: string,
  { at, cpuSeconds, requests, answerMs = 20 }: Told,
  part: Partial<CopyUsage> = {},
): CopyUsage {
  return {
    id,
    kind: 'process',
    status: 'running',
    detail: null,
    release: 'RAAAAAAAAAA',
    started: new Date(0).toISOString(),
    restarts: 0,
    outOfMemory: 0,
    usage: {
      time: new Date(at).toISOString(),
      cpuSeconds,
      memoryBytes: 40 * mebibyte,
      memoryLimitBytes: 512 * mebibyte,
    },
    traffic: { requests, failed: 0, answerMs },
    ...part,
  }
}

function app(name: string, at: number, requests: number, copies: CopyUsage[]): AppUsage {
  const web = { wanted: 2, ended: { restarts: 3, outOfMemory: 1 }, copies }
  const time = new Date(at).toISOString()
  return { app: name, time, traffic: { requests, failed: requests / 10 }, processes: { web } }
}

test('use is the difference of two readings over the time between them, summed up from copies', () => {
  const before = [
    app('shop', 1000, 100, [
      copy('PA', { at: 1000, cpuSeconds: 5, requests: 60 }),
      copy('PB', { at: 1100, cpuSeconds: 8, requests: 40 }),
    ]),
  ]
  const now = [
    app('shop', 3000, 140, [
      copy('PA', { at: 3000, cpuSeconds: 5.5, requests: 90 }),
      copy('PB', { at: 3100, cpuSeconds: 9, requests: 10, answerMs: 120 }),
    ]),
  ]
  const [shop] = viewUsage(before, now, 'cpu')
  const [web] = shop?.processes ?? []
  assert.deepEqual(
    [shop?.cpuPercent, shop?.memoryBytes, shop?.memoryLimitBytes],
    [75, 80 * mebibyte, 2 ** 30],
  )
  assert.deepEqual([shop?.requestsPerSecond, shop?.errorsPerSecond], [20, 2], 'of the app, not of its copies')
  assert.deepEqual([web?.running, web?.wanted, web?.restarts, web?.outOfMemory], [2, 2, 3, 1])
  assert.equal(web?.answerMs, 30, 'each copy by what it has answered')
  assert.deepEqual(
    web?.copies.map(({ id, cpuPercent, requestsPerSecond }) => [id, cpuPercent, requestsPerSecond]),
    [
      ['PB', 50, 5],
      ['PA', 25, 15],
    ],
    'who takes most comes first; a counter that is less than before has begun anew',
  )
})

test('what is not known is not shown as nothing', () => {
  const stopped = copy(
    'PB',
    { at: 3000, cpuSeconds: 0, requests: 0 },
    { usage: null, traffic: null, status: 'starting' },
  )
  const now = [app('shop', 3000, 140, [copy('PA', { at: 3000, cpuSeconds: 5, requests: 90 }), stopped])]
  const [shop] = viewUsage([], now, 'cpu')
  assert.deepEqual([shop?.cpuPercent, shop?.requestsPerSecond], [null, null], 'one reading is no use')
  const [, second] = shop?.processes[0]?.copies ?? []
  assert.deepEqual([second?.id, second?.memoryBytes, second?.answerMs], ['PB', null, null])
  assert.equal(shop?.processes[0]?.running, 1)
})

test('apps, processes and copies are sorted by what was asked for', () => {
  const usage = (at: number) => [
    app('blog', at, at, [copy('PA', { at, cpuSeconds: at / 2000, requests: 1 })]),
    app('shop', at, 2 * at, [copy('PB', { at, cpuSeconds: at / 4000, requests: 1 })]),
  ]
  const order = (by: 'cpu' | 'requests' | 'name') =>
    viewUsage(usage(1000), usage(2000), by).map((view) => view.app)
  assert.deepEqual(order('cpu'), ['blog', 'shop'])
  assert.deepEqual(order('requests'), ['shop', 'blog'])
  assert.deepEqual(order('name'), ['blog', 'shop'])
})

test('a line for each app, process and copy; what is amiss is marked', () => {
  const at = (ms: number, cpuSeconds: number) => [
    app('shop', ms, ms / 100, [
      copy('PAAAAAAAAAA', { at: ms, cpuSeconds, requests: ms / 100 }),
      copy(
        'PBBBBBBBBBB',
        { at: ms, cpuSeconds: 1, requests: 0 },
        {
          status: 'restarting',
          detail: 'crashed (137, OOM) ×6',
          usage: null,
          traffic: null,
        },
      ),
    ]),
  ]
  const lines = formatUsage(viewUsage(at(1000, 5), at(2000, 5.5), 'cpu'), 65_000)
  assert.equal(
    lines.map(({ text, isBad }) => `${isBad ? '!' : ' '} ${text}`).join('\n'),
    `  APP, PROCESS, COPY  STATUS                    CPU            MEMORY  REQ/S  ERR/S  ANSWERS   RESTARTS         UP
! shop                lacks copies           50.0 %  40 MiB / 512 MiB   10.0    1.0    20 ms  3 (OOM 1)          –
!   web               1 of 2                 50.0 %  40 MiB / 512 MiB   10.0    0.0    20 ms  3 (OOM 1)          –
      PAAAAAAAAAA     running                50.0 %  40 MiB / 512 MiB   10.0    0.0    20 ms          0  1 min 5 s
!     PBBBBBBBBBB     crashed (137, OOM) ×6       –                 –      –      –        –          0  1 min 5 s`,
  )
})
