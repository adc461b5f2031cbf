import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadlineError } from '../lib/deadline.ts'
import type { StackOptions } from './stack-options.ts'
import { settledStack } from './stack-state.ts'

/** An account in which a stack is made for ever. */
const stacks = {
  describeStacks: async () => ({ Stacks: [{ StackName: 's', StackStatus: 'CREATE_IN_PROGRESS' }] }),
  describeStackEvents: async () => ({ StackEvents: [] }),
} as unknown as StackOptions['stacks']

test('whoever waits no longer for a stack is told that the account goes on', async () => {
  const options = { stacks, intervalMs: 1, deadlineMs: 20 }
  const waiting = settledStack(options, 's', { signal: new AbortController().signal })
  await assert.rejects(waiting, {
    code: 'timeout',
    message: /waiting for the stack s; the account goes on with it$/,
    hint: /Do the same again/,
  })
})

test("a caller's own deadline stays what it is", async () => {
  const late = new DeadlineError('the caller', 1)
  const waiting = settledStack({ stacks, intervalMs: 1 }, 's', { signal: AbortSignal.abort(late) })
  await assert.rejects(waiting, (error) => error === late)
})
