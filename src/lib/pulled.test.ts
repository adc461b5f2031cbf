import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { pulled } from './pulled.ts'

test('what is pushed is read in order, and no push settles before the next item is asked for', async () => {
  const seen: string[] = []
  const stream = pulled<number>(async (push) => {
    for (const item of [1, 2, 3]) {
      seen.push(`push ${item}`)
      await push(item)
    }
  })
  for await (const item of stream) seen.push(`read ${item}`)
  assert.deepEqual(seen, ['push 1', 'read 1', 'push 2', 'read 2', 'push 3', 'read 3'])
})

test('a failure of whoever pushes is told behind what came before', async () => {
  const read: number[] = []
  const stream = pulled<number>(async (push) => {
    await push(1)
    throw new Error('the dump broke off')
  })
  await assert.rejects(async () => {
    for await (const item of stream) read.push(item)
  }, /broke off/)
  assert.deepEqual(read, [1])
})

test('who leaves ends it, and waits until it has ended', async () => {
  let hasEnded = false
  const stream = pulled<number>(async (push, signal) => {
    try {
      for (let item = 0; ; item++) await push(item)
    } finally {
      assert.ok(signal.aborted)
      hasEnded = true
    }
  })
  for await (const item of stream) if (item === 2) break
  assert.ok(hasEnded)
})

test('many pushes leave nothing behind', async () => {
  let count = 0
  const stream = pulled<number>(async (push, signal) => {
    for (let item = 0; item < 1000; item++) await push(item)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
  for await (const _ of stream) count++
  assert.equal(count, 1000)
})
