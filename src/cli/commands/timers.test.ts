import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TimerRun } from '../../domain/timer.ts'
import type { Operations, TimerInfo } from '../../operations/operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const ran: TimerRun = {
  id: 7,
  app: 'guestbook',
  process: 'web',
  timer: 'nightly',
  actor: 'schedule',
  due: '2026-05-04T01:00:00.000Z',
  missed: 3,
  status: 'complete',
  reason: null,
  operation: 'OAAAAAAAAAA',
  processId: 'PAAAAAAAAAA',
  release: 'RAAAAAAAAAA',
  started: '2026-05-04T12:00:00.000Z',
  ended: '2026-05-04T12:01:05.000Z',
  exitCode: 7,
}
const skipped: TimerRun = {
  ...ran,
  status: 'skipped',
  missed: 0,
  reason: 'the run of 2026-05-04T01:00:00.000Z has not ended',
  operation: null,
  processId: null,
  release: null,
  started: null,
  ended: '2026-05-05T01:00:00.000Z',
  exitCode: null,
}
const timer: TimerInfo = {
  app: 'guestbook',
  process: 'web',
  name: 'nightly',
  schedule: '0 3 * * *',
  timezone: 'Europe/Berlin',
  command: 'bin/nightly',
  overlap: 'skip',
  timeoutMs: 3_600_000,
  next: ['2126-05-05T01:00:00.000Z', '2126-05-06T01:00:00.000Z'],
  last: ran,
}

async function type(args: string[], { made = ran, list = [timer] } = {}) {
  const calls: unknown[][] = []
  const rack: Partial<Operations> = {
    listTimers: async () => list,
    async getTimer(app, name) {
      calls.push(['get', app, name])
      return timer
    },
    async runTimer(app, name) {
      calls.push(['run', app, name])
      return made
    },
    async timerHistory(app, query) {
      calls.push(['history', app, query])
      return query.timer === 'new' ? [] : [skipped, ran]
    },
  }
  return { ...(await typeCommand(['timers', ...args, '--app', 'guestbook'], { rack })), calls }
}

test('timers are listed with their next time, on their own clock, and how the last run ended', async () => {
  const { stdout, code } = await type([])
  assert.equal(code, 0)
  assert.match(
    stdout,
    /^TIMER +PROCESS +TIMES +NEXT +LAST\nnightly +web +0 3 \* \* \* +2126-05-05 03:00 Europe\/Berlin \(in \d+ d\) +exit 7, \d+ d ago\n$/,
  )
  assert.deepEqual(JSON.parse((await type(['--json'])).stdout), [timer])
  assert.match(
    (await type([], { list: [] })).stderr,
    /has no timers; for one, write the label rack\.cron\.NAME=/,
  )
})

test('one timer is told with its next times and where its log is', async () => {
  const { stdout, calls } = await type(['info', 'nightly'])
  assert.deepEqual(calls, [['get', 'guestbook', 'nightly']])
  assert.match(stdout, /next +2126-05-05 03:00 Europe\/Berlin, 2126-05-06 03:00 Europe\/Berlin\n/)
  assert.match(stdout, /at most +3600 s\nlast run +exit 7, due 2026-05-04T01:00:00\.000Z/)
  assert.match(stdout, /its log +rack logs --process PAAAAAAAAAA --app guestbook\n/)
})

test('a timer that is run says which process it is; one that could not be fails', async () => {
  const running = await type(['run', 'web.nightly'])
  assert.deepEqual(running.calls, [['run', 'guestbook', 'web.nightly']])
  assert.deepEqual([running.code, running.stdout], [0, 'PAAAAAAAAAA\n'])
  const reason = 'a one-off of guestbook/web does not fit this rack'
  const failed = await type(['run', 'nightly'], { made: { ...skipped, status: 'failed', reason } })
  assert.deepEqual([failed.code, failed.stdout], [1, ''])
  assert.match(
    failed.stderr,
    /nightly of guestbook: failed: a one-off of guestbook\/web does not fit this rack/,
  )
  const waiting = await type(['run', 'nightly'], { made: { ...skipped, status: 'waiting', reason: null } })
  assert.deepEqual([waiting.code, waiting.stderr], [0, 'nightly of guestbook: waiting\n'])
})

test('the history says of each run how it ended, how long it took, what it made up for and why', async () => {
  const { stdout, calls } = await type(['history', 'nightly', '--limit', '5'])
  assert.deepEqual(calls, [['history', 'guestbook', { timer: 'nightly', limit: 5 }]])
  const [, first, second] = stdout.split('\n')
  assert.match(
    first ?? '',
    /^2026-05-04T01:00:00Z +nightly +skipped +– +– +– +– +schedule +the run of .* has not ended$/,
  )
  assert.match(second ?? '', /nightly +exit 7 +1 min 5 s +3 +PAAAAAAAAAA +RAAAAAAAAAA +schedule +–$/)
  assert.match((await type(['history', 'new'])).stderr, /no timer of guestbook has run yet/)
  assert.deepEqual(JSON.parse((await type(['history', '--json'])).stdout), [skipped, ran])
})
