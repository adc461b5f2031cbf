import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intervalsAt } from './intervals-at.ts'
import { usualIntervals } from './parts.ts'

test('such an account is asked as often as its own time wants, and never without a pause', () => {
  assert.deepEqual(intervalsAt(1), usualIntervals)
  const { tasks, stacks, metrics } = intervalsAt(20)
  assert.deepEqual({ tasks, stacks, metrics }, { tasks: 50, stacks: 150, metrics: 12_000 })
  assert.ok(Object.values(intervalsAt(1000)).every((interval) => interval >= 50))
})
