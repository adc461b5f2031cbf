import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { endingOf, untouched } from './ending.ts'

const going = { signal: new AbortController().signal }
const ended = (reason?: unknown) => ({ signal: AbortSignal.abort(reason) })
const failure = new RackError('deploy-failed', 'web: it exited', { hint: 'What ran before still runs.' })
const late = ended(new DeadlineError('the deploy', 180_000))

/** What is told of a rollout that has ended so. */
function told(ending: unknown, lack: string | null = null) {
  const { code, message, hint } = untouched(ending, lack, true) as RackError
  return { code, message, hint }
}

test('an end says who wanted it, or how long it took, and that what ran before still runs', () => {
  const kept = 'what ran before still runs'
  assert.equal(told(endingOf(failure, ended(), going)).message, `the deploy was cancelled; ${kept}`)
  const reason = new RackError('cancelled', 'the operation was cancelled')
  assert.equal(told(endingOf(failure, ended(reason), late)).message, `the operation was cancelled; ${kept}`)
  const timeout = told(endingOf(failure, going, late))
  assert.deepEqual(
    [timeout.code, timeout.message],
    ['timeout', `the deploy took longer than 3 minutes; ${kept}`],
  )
  assert.equal(
    untouched(endingOf(failure, going, going), null, true),
    failure,
    'a failure says it in its hint',
  )
})

test('a daemon that stops, and what is no failure of ours, are told as they are', () => {
  const stop = new RackError('unreachable', 'the daemon is stopping')
  assert.equal(untouched(endingOf(failure, ended(stop), going), null, true), stop)
  const bug = new TypeError('of undefined')
  assert.equal(untouched(endingOf(bug, going, going), null, true), bug)
})

test('where not all is back no end says that it is', () => {
  for (const ending of [failure, endingOf(failure, ended(), going), endingOf(failure, going, late)]) {
    const { code, message, hint } = told(ending, 'the engine is away')
    assert.equal(code, (ending as RackError).code)
    assert.match(message, /; not all of what ran before is back: the engine is away$/)
    assert.doesNotMatch(`${message} ${hint}`, /still runs/)
  }
})

test('where nothing ran before nobody is told that it still runs', () => {
  const { message } = untouched(endingOf(failure, ended(), going), null, false) as RackError
  assert.equal(message, 'the deploy was cancelled')
})
