import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLineQuota } from './line-quota.ts'

test('lines beyond the quota are counted, and told with the first of the next period', () => {
  const quota = createLineQuota({ lines: 2, periodMs: 1000 })
  const asked = [0, 1, 2, 999, 1000, 1001, 1002, 5000].map((now) => quota.take(now))
  assert.deepEqual(asked, [0, 0, null, null, 2, 0, null, 1])
})
