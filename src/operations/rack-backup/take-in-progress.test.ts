import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { createTakeInProgress } from './take-in-progress.ts'

test('what may pass is given up after several tries of the same thing, what does not at once, and each try begins well', () => {
  const progress = createTakeInProgress()
  const fail = (code: 'engine-failed' | 'store-failed') => {
    progress.begin()
    assert.equal(progress.failure(), null)
    progress.noteFailure('volume shop/data', new RackError(code, 'no'))
    return progress.failure()
  }
  const passing = () => Array.from({ length: 5 }, () => fail('engine-failed'))
  assert.deepEqual(passing(), [null, null, null, null, null])
  progress.noteDone()
  assert.deepEqual(passing(), [null, null, null, null, null])
  assert.equal(fail('engine-failed'), 'volume shop/data: no')
  progress.noteDone()
  assert.equal(fail('store-failed'), 'volume shop/data: no')
  progress.begin()
  progress.noteFailure('images', new Error('a bug'))
  assert.match(progress.failure() ?? '', /^images: an unexpected failure: a bug$/)
})
