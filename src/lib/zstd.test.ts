import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { compressZstd, decompressZstd } from './zstd.ts'

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const whole = async (stream: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(stream))

test('what was compressed comes back, whatever its size', async () => {
  for (const size of [0, 1, 100_000, 3_000_000]) {
    const content = Buffer.concat([randomBytes(Math.min(size, 1000)), Buffer.alloc(Math.max(0, size - 1000))])
    const compressed = await whole(compressZstd(pieces(content, 9999)))
    assert.ok(compressed.length < size / 100 + 1100)
    assert.deepEqual(await whole(decompressZstd(pieces(compressed, 77))), content)
  }
})

test('damaged and cut bytes are refused', async () => {
  const compressed = await whole(compressZstd(pieces(randomBytes(200_000), 5000)))
  const changed = Buffer.from(compressed)
  changed[100_000]! ^= 1
  await assert.rejects(whole(decompressZstd(pieces(changed, 5000))))
  await assert.rejects(whole(decompressZstd(pieces(compressed.subarray(0, 150_000), 5000))))
})

test('the failure of the source is the failure of what comes out', async () => {
  const failing = async function* () {
    yield randomBytes(1000)
    throw new Error('the source broke off')
  }
  await assert.rejects(whole(compressZstd(failing())), /broke off/)
})
