import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usualIntervals } from '../engines/aws/parts.ts'
import { accountClock } from '../aws/account-clock.ts'
import { intervalsAt } from './account-clock.ts'

const elsewhere = 'http://127.0.0.1:4566'

test('the clock is that of AWS, and a faster one is of an account elsewhere alone', () => {
  assert.equal(accountClock({}), 1)
  assert.equal(accountClock({ RACK_AWS_CLOCK: '', AWS_ENDPOINT_URL: elsewhere }), 1)
  assert.equal(accountClock({ RACK_AWS_CLOCK: '20', AWS_ENDPOINT_URL: elsewhere }), 20)
  assert.throws(() => accountClock({ RACK_AWS_CLOCK: '20' }), { code: 'usage', message: /AWS_ENDPOINT_URL/ })
  for (const text of ['0', '0.5', '-1', 'fast', '1001', 'NaN'])
    assert.throws(() => accountClock({ RACK_AWS_CLOCK: text, AWS_ENDPOINT_URL: elsewhere }), {
      code: 'usage',
    })
})

test('such an account is asked as often as its own time wants, and never without a pause', () => {
  assert.deepEqual(intervalsAt(1), usualIntervals)
  const { tasks, stacks, metrics } = intervalsAt(20)
  assert.deepEqual({ tasks, stacks, metrics }, { tasks: 50, stacks: 150, metrics: 12_000 })
  assert.ok(Object.values(intervalsAt(1000)).every((interval) => interval >= 50))
})
