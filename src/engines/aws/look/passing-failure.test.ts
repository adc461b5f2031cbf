import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayPass } from './passing-failure.ts'

test('a task that Fargate or a new role kept from its start has successors; what stays wrong has none', () => {
  const passing = [
    'Capacity is unavailable at this time. Please try again later or in a different availability zone',
    'ResourceInitializationError: unable to pull secrets: AccessDeniedException: it is not authorized',
  ]
  for (const words of passing) assert.equal(mayPass(words, 0), true, words)
  assert.equal(mayPass(passing[0]!, 2), false, 'nor is it waited for without an end')
  for (const words of [null, 'CannotPullContainerError: not found', 'the task was not started'])
    assert.equal(mayPass(words, 0), false)
})
