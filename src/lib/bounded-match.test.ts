import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBoundedMatcher, MatchTimeoutError } from './bounded-match.ts'

const bounds = { deadlineMs: 1000, longestText: 100 }

test('each line is tried by itself', () => {
  const matcher = createBoundedMatcher(/^b+$/i, bounds)
  assert.deepEqual(matcher.matches(['a', 'B', 'bb', '']), [false, true, true, false])
  assert.deepEqual(matcher.matches([]), [])
})

test('a pattern that tries every way to match is ended, and others go on', () => {
  const hostile = createBoundedMatcher(/^(a+)+$/, { deadlineMs: 50, longestText: 100 })
  assert.throws(() => hostile.matches([`${'a'.repeat(60)}b`]), MatchTimeoutError)
  assert.deepEqual(hostile.matches(['aa']), [true])
})

test('what lies far behind in a line is not looked at', () => {
  const matcher = createBoundedMatcher(/end/, bounds)
  assert.deepEqual(matcher.matches([`${'x'.repeat(97)}end`, `${'x'.repeat(98)}end`]), [true, false])
})
