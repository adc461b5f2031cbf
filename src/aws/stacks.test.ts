import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StackChange } from './change-sets.ts'
import type { AwsClients } from './clients.ts'
import { ensureStack, planStack } from './stacks.ts'

const { signal } = new AbortController()

/** An account with one stack, which goes when it is deleted; `done` has what was asked of it, in its order. */
function accountWith(StackStatus: string) {
  const done: string[] = []
  const resource = (LogicalResourceId: string, ResourceStatus: string) => ({
    LogicalResourceId,
    ResourceType: 'AWS::ECS::Cluster',
    ResourceStatus,
  })
  const stacks = {
    describeStacks: async () => ({
      Stacks: done.includes('delete') ? [] : [{ StackId: 'arn:1', StackName: 'rack-shop', StackStatus }],
    }),
    describeStackEvents: async () => ({ StackEvents: [] }),
    listStackResources: async ({ NextToken }: { NextToken?: string }) =>
      NextToken === undefined
        ? { StackResourceSummaries: [resource('Gone', 'DELETE_COMPLETE')], NextToken: '1' }
        : {
            StackResourceSummaries: [
              resource('Cluster', 'DELETE_FAILED'),
              resource('Kept', 'DELETE_SKIPPED'),
            ],
          },
    deleteStack: async () => void done.push('delete'),
    createChangeSet: async () => {
      throw new Error('so far')
    },
    deleteChangeSet: async () => undefined,
  } as unknown as AwsClients['stacks']
  return { options: { stacks, intervalMs: 1 }, done }
}

const template = { Resources: { Cluster: { Type: 'AWS::ECS::Cluster' } } }
const removed = { action: 'Remove', resource: 'Cluster', type: 'AWS::ECS::Cluster' }

test('what is left of a stack whose removal got stuck is judged before it goes, and planned', async () => {
  const { options, done } = accountWith('DELETE_FAILED')
  const judge = (changes: StackChange[]) => {
    assert.deepEqual(changes, [removed])
    throw new Error('it stays')
  }
  const wanted = { name: 'rack-shop', template, judge }
  await assert.rejects(ensureStack(options, wanted, { signal }), /it stays/)
  assert.deepEqual(done, [])
  assert.deepEqual((await planStack(options, wanted, { signal })).changes, [
    removed,
    { ...removed, action: 'Add' },
  ])
})

test('a stack that never came to be is freed, then removed, and nobody is asked', async () => {
  const { options, done } = accountWith('ROLLBACK_FAILED')
  const free = async () => void done.push('free')
  const judge = (changes: StackChange[]) => assert.deepEqual(changes, [])
  await assert.rejects(
    ensureStack(options, { name: 'rack-shop', template, judge, free }, { signal }),
    /so far/,
  )
  assert.deepEqual(done, ['free', 'delete'])
})
