import assert from 'node:assert/strict'
import { test } from 'node:test'
import { once } from 'node:events'
import { together } from './together.ts'

const never = new AbortController().signal

test('all results, in the order of the tasks', async () => {
  const { promise: secondIsDone, resolve } = Promise.withResolvers<void>()
  const first = async () => {
    await secondIsDone
    return 1
  }
  const second = async () => {
    resolve()
    return 2
  }
  assert.deepEqual(await together(never, [first, second]), [1, 2])
})

test('the first failure ends the others, and is thrown when they have ended', async () => {
  let isEnded = false
  const slow = async (signal: AbortSignal) => {
    await once(signal, 'abort')
    await new Promise((resolve) => setImmediate(resolve))
    isEnded = true
  }
  const broken = async () => {
    throw new Error('first')
  }
  await assert.rejects(together(never, [slow, broken]), /first/)
  assert.ok(isEnded)
})
