import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPassing } from './passing-failure.ts'

test('a task that Fargate or a new role kept from its start has successors; what stays wrong has none', () => {
  const said: string[] = []
  const report = (progress: { text?: string }) => void said.push(progress.text ?? '')
  const ask = (words: string | null, again = 0) =>
    isPassing({ type: 'web', words, again }, { report: report as never })
  const passing = [
    'Capacity is unavailable at this time. Please try again later or in a different availability zone',
    'ResourceInitializationError: unable to pull secrets: AccessDeniedException: it is not authorized',
  ]
  for (const words of passing) assert.equal(ask(words), true, words)
  assert.equal(said.length, passing.length)
  assert.equal(ask(passing[0]!, 2), false, 'nor is it waited for without an end')
  for (const words of [null, 'CannotPullContainerError: not found', 'the task was not started'])
    assert.equal(ask(words), false)
  assert.equal(said.length, passing.length)
})
