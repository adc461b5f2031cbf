import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadlineError } from './deadline.ts'
import { until } from './poll.ts'

test('the first truthy answer is returned', async () => {
  let asked = 0
  const answer = await until(() => ++asked === 3 && `asked ${asked} times`, {
    deadlineMs: 2000,
    intervalMs: 1,
    what: 'the third answer',
  })
  assert.equal(answer, 'asked 3 times')
})

test('an answer that is already there costs no interval', async (t) => {
  // Of a clock that stands still no interval ever ends.
  t.mock.timers.enable({ apis: ['setTimeout'] })
  assert.equal(await until(() => 'there', { deadlineMs: 10, intervalMs: 1, what: 'nothing' }), 'there')
})

test('the deadline names what was waited for, as it last looked', async () => {
  let asked = 0
  const waiting = until(async () => void asked++, {
    deadlineMs: 30,
    intervalMs: 5,
    what: () => `web to answer (asked ${asked > 1 ? 'often' : 'once'})`,
  })
  await assert.rejects(waiting, (error) => {
    assert.ok(error instanceof DeadlineError)
    assert.equal(error.what, 'web to answer (asked often)')
    return true
  })
})

test('a condition that hangs is left behind at the deadline', async () => {
  const hanging = () => new Promise<never>(() => {})
  await assert.rejects(until(hanging, { deadlineMs: 10, what: 'a hanging probe' }), DeadlineError)
})

test('a condition that throws ends the wait', async () => {
  const failure = new Error('the process is gone')
  const condition = () => {
    throw failure
  }
  await assert.rejects(until(condition, { deadlineMs: 1000, what: 'x' }), failure)
})

test('the caller can leave in the middle of an interval', async () => {
  const caller = new AbortController()
  const waiting = until(() => false, {
    deadlineMs: 60_000,
    intervalMs: 30_000,
    what: 'x',
    signal: caller.signal,
  })
  const reason = new Error('cancelled')
  setImmediate(() => caller.abort(reason))
  await assert.rejects(waiting, reason)
})
