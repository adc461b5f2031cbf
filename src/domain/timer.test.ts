import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueRun, isSetBack, nextTime, nextTimes, turnOf, type TimerRun } from './timer.ts'

const at = (time: string) => new Date(time)

/** The times of three runs, as UTC. */
function times(schedule: string, timezone: string, after: string): string[] {
  return nextTimes({ schedule, timezone }, at(after), 3).map((time) => time.slice(0, 16))
}

test('the next times after a moment, where clocks are set forward and back', () => {
  const table: [what: string, schedule: string, timezone: string, after: string, times: string[]][] = [
    [
      'UTC has no summer',
      '30 2 * * *',
      'UTC',
      '2026-03-28T12:00Z',
      ['2026-03-29T02:30', '2026-03-30T02:30', '2026-03-31T02:30'],
    ],
    [
      'a time in the gap comes right after it',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:30', '2026-03-31T00:30'],
    ],
    [
      'a time at the end of the gap comes once',
      '0 3 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T01:00', '2026-03-31T01:00'],
    ],
    [
      'two in the gap are one',
      '10,40 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:10', '2026-03-30T00:40'],
    ],
    [
      'one of a list in the gap',
      '30 2,14 * * *',
      'Europe/Berlin',
      '2026-03-28T14:00Z',
      ['2026-03-29T01:00', '2026-03-29T12:30', '2026-03-30T00:30'],
    ],
    [
      'every hour, over the gap',
      '30 * * * *',
      'Europe/Berlin',
      '2026-03-28T23:40Z',
      ['2026-03-29T00:30', '2026-03-29T01:30', '2026-03-29T02:30'],
    ],
    [
      'every twenty minutes of an hour that is left out',
      '*/20 2 * * *',
      'Europe/Berlin',
      '2026-03-28T14:00Z',
      ['2026-03-30T00:00', '2026-03-30T00:20', '2026-03-30T00:40'],
    ],
    [
      'a time that comes twice is taken once',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30'],
    ],
    [
      'and not again between the two',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-25T00:45Z',
      ['2026-10-26T01:30', '2026-10-27T01:30', '2026-10-28T01:30'],
    ],
    [
      'one of a list, twice',
      '30 2,14 * * *',
      'Europe/Berlin',
      '2026-10-24T14:00Z',
      ['2026-10-25T00:30', '2026-10-25T13:30', '2026-10-26T01:30'],
    ],
    [
      'every hour, through both',
      '30 * * * *',
      'Europe/Berlin',
      '2026-10-24T23:40Z',
      ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-25T02:30'],
    ],
    [
      'midnight that is left out',
      '0 0 * * *',
      'America/Sao_Paulo',
      '2018-11-03T12:00Z',
      ['2018-11-04T03:00', '2018-11-05T02:00', '2018-11-06T02:00'],
    ],
    [
      'half an hour',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      ['2026-10-03T15:30', '2026-10-04T15:15', '2026-10-05T15:15'],
    ],
    [
      'half an hour, twice',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T00:00Z',
      ['2026-04-04T14:45', '2026-04-05T15:15', '2026-04-06T15:15'],
    ],
    [
      'quarters from UTC',
      '0 9 * * *',
      'Asia/Kathmandu',
      '2026-01-01T00:00Z',
      ['2026-01-01T03:15', '2026-01-02T03:15', '2026-01-03T03:15'],
    ],
    [
      'the first Monday',
      '0 9 * * 1#1',
      'UTC',
      '2026-03-28T12:00Z',
      ['2026-04-06T09:00', '2026-05-04T09:00', '2026-06-01T09:00'],
    ],
    [
      'the last day',
      '0 9 L * *',
      'UTC',
      '2026-01-15T12:00Z',
      ['2026-01-31T09:00', '2026-02-28T09:00', '2026-03-31T09:00'],
    ],
    [
      'either of two days',
      '0 0 13 * 5',
      'UTC',
      '2026-04-09T12:00Z',
      ['2026-04-10T00:00', '2026-04-13T00:00', '2026-04-17T00:00'],
    ],
    [
      'a leap day',
      '0 0 29 2 *',
      'UTC',
      '2026-03-28T12:00Z',
      ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00'],
    ],
  ]
  for (const [what, schedule, timezone, after, expected] of table)
    assert.deepEqual(times(schedule, timezone, after), expected, what)
})

test('the next time is after a moment, not at it', () => {
  const minutely = { schedule: '* * * * *', timezone: 'UTC' }
  assert.equal(nextTime(minutely, at('2026-01-01T00:00:00Z')), '2026-01-01T00:01:00.000Z')
  assert.equal(nextTime(minutely, at('2025-12-31T23:59:59.999Z')), '2026-01-01T00:00:00.000Z')
})

test('times that have passed are one run, which says how many were missed', () => {
  const nightly = { schedule: '0 3 * * *', timezone: 'UTC' }
  const due = (since: string, now: string) => {
    const run = dueRun(nightly, at(since), at(now))
    return run && [run.due.toISOString().slice(0, 16), run.missed]
  }
  const since = '2026-05-01T12:00Z'
  assert.equal(due(since, '2026-05-02T02:59:59.999Z'), null)
  assert.deepEqual(due(since, '2026-05-02T03:00:00.000Z'), ['2026-05-02T03:00', 0])
  assert.deepEqual(due(since, '2026-05-02T03:00:59.999Z'), ['2026-05-02T03:00', 0])
  assert.deepEqual(due(since, '2026-05-02T03:01Z'), ['2026-05-02T03:00', 1])
  assert.deepEqual(due(since, '2026-05-04T03:00:01Z'), ['2026-05-04T03:00', 2])
  assert.deepEqual(due(since, '2026-05-04T12:00Z'), ['2026-05-04T03:00', 3])
  // What was seen to at the very time of a run is seen to.
  assert.equal(due('2026-05-02T03:00:00.000Z', '2026-05-02T03:00:01Z'), null)
})

test('a rack that was away for very long counts no further than a thousand, and still runs for the last time', () => {
  const minutely = { schedule: '* * * * *', timezone: 'Europe/Berlin' }
  const run = dueRun(minutely, at('2020-01-01T00:00Z'), at('2026-01-01T00:00:30Z'))
  assert.deepEqual(run, { due: at('2026-01-01T00:00:00Z'), missed: 999 })
})

test('a clock that goes back a little makes nothing run twice; further back, it is believed', () => {
  const now = at('2026-01-01T12:00:00Z')
  assert.equal(isSetBack(at('2026-01-01T11:00:00Z'), now), false)
  assert.equal(isSetBack(at('2026-01-01T12:10:00Z'), now), false)
  assert.equal(isSetBack(at('2026-01-01T12:10:01Z'), now), true)
})

test('what becomes of a run that is due while others are not over', () => {
  const run = (status: TimerRun['status']) => ({ status, due: '2026-01-01T03:00:00.000Z' }) as TimerRun
  const running = run('running')
  const waits = { status: 'waiting', reason: null, waitingGo: null }
  for (const overlap of ['skip', 'queue', 'replace'] as const) assert.deepEqual(turnOf(overlap, []), waits)
  assert.deepEqual(turnOf('skip', [running]), {
    ...waits,
    status: 'skipped',
    reason: 'the run of 2026-01-01T03:00:00.000Z has not ended',
  })
  assert.match(turnOf('skip', [run('waiting')]).reason ?? '', /has not begun/)
  assert.deepEqual(turnOf('queue', [running, run('waiting')]), waits)
  assert.match(
    turnOf(
      'queue',
      Array.from({ length: 10 }, () => run('waiting')),
    ).reason ?? '',
    /10 runs wait/,
  )
  const replaced = turnOf('replace', [running, run('waiting')])
  assert.deepEqual(replaced, { ...waits, waitingGo: 'the next run takes its place' })
})
