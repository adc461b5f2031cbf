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

/** A rollback that is stuck on one resource until that is skipped; says what it was told to skip. */
function stuckOn(resource: string) {
  const StackId = 'arn:aws:cloudformation:eu-test-1:123456789012:stack/s/1'
  const skipped: (string[] | undefined)[] = []
  const account = {
    describeStacks: async () => {
      const isOver = skipped.at(-1)?.includes(resource) === true
      const StackStatus = isOver ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_FAILED'
      return { Stacks: [{ StackName: 's', StackId, StackStatus }] }
    },
    describeStackEvents: async () => ({
      StackEvents: [
        {
          EventId: '1',
          LogicalResourceId: resource,
          ResourceType: 'AWS::ECS::Service',
          ResourceStatus: 'UPDATE_FAILED',
          ResourceStatusReason: 'the circuit breaker was triggered',
        },
      ],
    }),
    continueUpdateRollback: async (order: { ResourcesToSkip?: string[] }) =>
      void skipped.push(order.ResourcesToSkip),
  }
  return { skipped, stacks: account as unknown as StackOptions['stacks'] }
}

test('a rollback goes on without what keeps it stuck, where that may be skipped', async () => {
  const { stacks, skipped } = stuckOn('DaemonService')
  const options = { stacks, intervalMs: 1, mayBeSkipped: ['DaemonService'] }
  const found = await settledStack(options, 's', { signal: new AbortController().signal })
  assert.equal(found?.StackStatus, 'UPDATE_ROLLBACK_COMPLETE')
  assert.deepEqual(skipped, [undefined, ['DaemonService']])
})

test('what may not be skipped keeps it, and is named', async () => {
  const { stacks, skipped } = stuckOn('Balancer')
  const options = { stacks, intervalMs: 1, mayBeSkipped: ['DaemonService'] }
  const waiting = settledStack(options, 's', { signal: new AbortController().signal })
  await assert.rejects(waiting, { code: 'engine-failed', message: /neither forward nor back: Balancer: / })
  assert.deepEqual(skipped, [undefined])
})
