import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { waitForLoss } from './wait-for-loss.ts'

const away = new RackError('engine-unavailable', 'the account does not answer')

test('an engine that does not answer twice in a row is lost, and one lost call is none', async () => {
  const answers = [true, false, true, false, false, true]
  let asked = 0
  const reach = async () => {
    if (!answers[asked++]) throw away
  }
  const control = { signal: AbortSignal.timeout(10_000), report: () => undefined }
  await waitForLoss({ reach, periodMs: 1 }, control)
  assert.equal(asked, 5)
})

test('nobody waits for it any more when the signal ends', async () => {
  const ending = new AbortController()
  const control = { signal: ending.signal, report: () => undefined }
  const waiting = waitForLoss({ reach: async () => undefined, periodMs: 60_000 }, control)
  ending.abort(new Error('the rack stops'))
  await assert.rejects(waiting, { code: 'cancelled' })
})
