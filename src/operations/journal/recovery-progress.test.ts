import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRecoveryProgress } from './recovery-progress.ts'

test('all is waited for from the start on, what is back is not, and nothing is once it is over', async () => {
  const progress = createRecoveryProgress()
  const seen = () => [progress.isConverging(), progress.waiting(['shop', 'blog'])]
  assert.deepEqual(seen(), [true, ['shop', 'blog']])
  const { promise: until, resolve: end } = Promise.withResolvers<boolean>()
  const recovery = progress.during(() => until)
  assert.deepEqual(seen(), [true, ['shop', 'blog']])
  progress.noteBack('shop')
  assert.deepEqual(seen(), [true, ['blog']])
  end(true)
  assert.equal(await recovery, true)
  assert.deepEqual(seen(), [false, []])
  await progress.during(async () => assert.deepEqual(seen(), [true, ['shop', 'blog']]))
  assert.deepEqual(seen(), [false, []])
})
