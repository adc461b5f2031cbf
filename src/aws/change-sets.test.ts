import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DescribeChangeSetOutput, ResourceChange } from '@aws-sdk/client-cloudformation'
import { makeChangeSet } from './change-sets.ts'
import type { StackOptions } from './stack-options.ts'

/** An account that finds these changes. */
function stacksThatFind(...changes: ResourceChange[]): StackOptions['stacks'] {
  const found: DescribeChangeSetOutput = {
    Status: 'CREATE_COMPLETE',
    Changes: changes.map((ResourceChange) => ({ Type: 'Resource', ResourceChange })),
  }
  const stacks = {
    deleteChangeSet: async () => ({}),
    createChangeSet: async () => ({}),
    describeChangeSet: async () => found,
  }
  return stacks as unknown as StackOptions['stacks']
}

test('what may be replaced is taken for what will be', async () => {
  const of = (LogicalResourceId: string, rest: Partial<ResourceChange>): ResourceChange => ({
    LogicalResourceId,
    ResourceType: 'AWS::EFS::FileSystem',
    ...rest,
  })
  const stacks = stacksThatFind(
    of('New', { Action: 'Add' }),
    of('Old', { Action: 'Remove' }),
    of('Same', { Action: 'Modify', Replacement: 'False' }),
    of('Other', { Action: 'Modify', Replacement: 'True' }),
    // D: where a property hangs on what another resource becomes.
    of('Perhaps', { Action: 'Modify', Replacement: 'Conditional' }),
  )
  const input = { stack: 's', name: 'c', isNew: false, template: '{}', parameters: {}, tags: [] }
  const changes = await makeChangeSet({ stacks, intervalMs: 1 }, input, { signal: AbortSignal.timeout(9000) })
  assert.deepEqual(
    changes?.map(({ resource, action }) => `${resource}: ${action}`),
    ['New: Add', 'Old: Remove', 'Same: Modify', 'Other: Replace', 'Perhaps: Replace'],
  )
})
