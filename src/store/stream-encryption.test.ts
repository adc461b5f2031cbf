import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSealing } from './stream-encryption.ts'

const key = randomBytes(32)
const sealing = createSealing(key, randomBytes)
const place = ['source', 'shop', 'abc']
const damaged = { code: 'store-failed', hint: /backup/ }

async function* inPieces(content: Buffer, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes)
}

const whole = async (chunks: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(chunks))
const sealed = async (content: Buffer) => whole(sealing.seal(inPieces(content, 4000), place))
const opened = async (bytes: Buffer, pieces = 70_000) => whole(sealing.open(inPieces(bytes, pieces), place))

test('what was sealed opens, whatever its length and however it comes in pieces', async () => {
  const frame = 64 * 1024
  for (const length of [0, 1, frame - 1, frame, frame + 1, 2 * frame, 3 * frame + 17]) {
    const content = randomBytes(length)
    const bytes = await sealed(content)
    for (const pieces of [1000, 65_552, 1_000_000]) assert.ok(content.equals(await opened(bytes, pieces)))
  }
})

test('nothing of it is in the clear, and the same twice is not the same', async () => {
  const content = Buffer.from('secret-4711 '.repeat(10_000))
  const [one, two] = [await sealed(content), await sealed(content)]
  assert.ok(!one.includes('secret-4711'))
  assert.ok(!one.subarray(37).equals(two.subarray(37)))
})

test('a byte that was changed, a cut, an exchange, another place and another key do not open', async () => {
  const bytes = await sealed(randomBytes(200_000))
  for (const at of [0, 10, 40, 70_000, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assert.rejects(opened(changed), damaged, `byte ${at}`)
  }
  // Behind a frame, in its middle, in the head, and at nothing.
  for (const length of [37 + 65_552, 37 + 70_000, 37, 20, 0]) {
    await assert.rejects(opened(bytes.subarray(0, length)), damaged, `cut at ${length}`)
  }
  const [head, first, second] = [
    bytes.subarray(0, 37),
    bytes.subarray(37, 65_589),
    bytes.subarray(65_589, 131_141),
  ]
  const exchanged = Buffer.concat([head, second, first, bytes.subarray(131_141)])
  await assert.rejects(opened(exchanged), damaged)
  await assert.rejects(opened(Buffer.concat([bytes, first])), damaged)
  await assert.rejects(whole(sealing.open(inPieces(bytes, 5000), ['source', 'blog', 'abc'])), damaged)
  const other = createSealing(randomBytes(32), randomBytes)
  await assert.rejects(whole(other.open(inPieces(bytes, 5000), place)), damaged)
})

test('a reader who leaves early ends the source', async () => {
  let isReturned = false
  const source = async function* () {
    try {
      for (;;) yield randomBytes(50_000)
    } finally {
      isReturned = true
    }
  }
  for await (const chunk of sealing.open(sealing.seal(source(), place), place)) {
    assert.ok(chunk.length > 0)
    break
  }
  assert.ok(isReturned)
})
