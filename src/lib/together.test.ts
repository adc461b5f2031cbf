import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { together } from './together.ts'

const never = new AbortController().signal

test('all results, in the order of the tasks', async () => {
  const tasks = [20, 1].map((ms) => async () => await pause(ms, ms))
  assert.deepEqual(await together(never, tasks), [20, 1])
})

test('the first failure ends the others, and is thrown when they have ended', async () => {
  let isEnded = false
  const slow = async (signal: AbortSignal) => {
    try {
      await pause(10_000, undefined, { signal })
    } finally {
      await pause(10)
      isEnded = true
    }
  }
  const broken = async () => {
    throw new Error('first')
  }
  await assert.rejects(together(never, [slow, broken]), /first/)
  assert.ok(isEnded)
})
