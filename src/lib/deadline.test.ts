import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { abortable, DeadlineError, startDeadline, withDeadline } from './deadline.ts'

const never = () => new Promise<never>(() => {})

test('a task that ends in time gives its value', async () => {
  assert.equal(await withDeadline({ deadlineMs: 1000, what: 'a value' }, async () => 7), 7)
})

test('a task that ignores its signal is left behind, and the error names the wait', async () => {
  await assert.rejects(withDeadline({ deadlineMs: 10, what: () => 'the router' }, never), (error) => {
    assert.ok(error instanceof DeadlineError)
    assert.equal(error.what, 'the router')
    assert.equal(error.deadlineMs, 10)
    assert.match(error.message, /10 ms waiting for the router/)
    return true
  })
})

test("the caller's reason passes through", async () => {
  const caller = new AbortController()
  const reason = new Error('the user went home')
  const waiting = withDeadline({ deadlineMs: 5000, what: 'anything', signal: caller.signal }, never)
  caller.abort(reason)
  await assert.rejects(waiting, reason)
})

test('a caller who has already left never starts the task', async () => {
  let isStarted = false
  const task = async () => {
    isStarted = true
  }
  await assert.rejects(withDeadline({ deadlineMs: 1000, what: 'x', signal: AbortSignal.abort() }, task))
  assert.equal(isStarted, false)
})

test('a disposed deadline neither aborts nor listens on', () => {
  const caller = new AbortController()
  const deadline = startDeadline({ deadlineMs: 1000, what: 'x', signal: caller.signal })
  deadline[Symbol.dispose]()
  caller.abort()
  assert.equal(deadline.signal.aborted, false)
  assert.equal(getEventListeners(caller.signal, 'abort').length, 0)
})

test('abortable keeps the rejection of the promise', async () => {
  const failure = new Error('refused')
  await assert.rejects(abortable(Promise.reject(failure), new AbortController().signal), failure)
  await assert.rejects(abortable(never(), AbortSignal.abort(failure)), failure)
})
