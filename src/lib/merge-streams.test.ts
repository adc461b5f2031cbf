import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeStreams } from './merge-streams.ts'

async function* give<T>(items: T[], end: Promise<void>): AsyncGenerator<T> {
  yield* items
  await end
}

test('what several streams give comes as it comes, and the end of one ends all', async () => {
  const never = new Promise<void>(() => undefined)
  const seen: number[] = []
  const { promise: later, resolve } = Promise.withResolvers<void>()
  for await (const item of mergeStreams([give([1, 2], never), give([10], later)])) {
    seen.push(item)
    if (seen.length === 3) resolve()
  }
  assert.deepEqual(new Set(seen), new Set([1, 2, 10]))
})

test('a stream that fails ends all with its failure', async () => {
  const never = new Promise<void>(() => undefined)
  const merged = mergeStreams([give([1], Promise.reject(new Error('away'))), give<number>([], never)])
  const all = async () => await Array.fromAsync(merged)
  await assert.rejects(all(), /away/)
})
