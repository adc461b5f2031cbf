import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountClock } from './account-clock.ts'

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
