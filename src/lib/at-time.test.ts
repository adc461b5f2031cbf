import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atTime } from './at-time.ts'

test('it calls once at the time, also one that no single timer reaches, and never after it is disposed', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 })
  const called: string[] = []
  const year = 365 * 24 * 3600 * 1000
  atTime(year, () => called.push('year'))
  const disposed = atTime(1000, () => called.push('disposed'))
  atTime(-1, () => called.push('past'))
  t.mock.timers.tick(0)
  assert.deepEqual(called, ['past'])
  disposed[Symbol.dispose]()
  t.mock.timers.tick(year - 1)
  assert.deepEqual(called, ['past'])
  t.mock.timers.tick(1)
  assert.deepEqual(called, ['past', 'year'])
  t.mock.timers.tick(year)
  assert.deepEqual(called, ['past', 'year'])
})
