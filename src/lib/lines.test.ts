import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLineSplitter, readLines } from './lines.ts'

async function collect(pieces: (string | Uint8Array)[], maxBytes?: number): Promise<string[]> {
  async function* source() {
    for (const piece of pieces) yield Buffer.from(piece)
  }
  return await Array.fromAsync(readLines(source(), maxBytes))
}

test('lines across pieces, with either ending, and a last one without', async () => {
  assert.deepEqual(await collect(['on', 'e\ntw', 'o\r\n\nlast']), ['one', 'two', '', 'last'])
  assert.deepEqual(await collect(['done\n']), ['done'])
  assert.deepEqual(await collect([]), [])
})

test('a character split between two pieces stays whole', async () => {
  const bytes = Buffer.from('é\n')
  assert.deepEqual(await collect([bytes.subarray(0, 1), bytes.subarray(1)]), ['é'])
})

test('a line beyond the bound comes in parts, cut between characters', async () => {
  assert.deepEqual(await collect(['abcdefgh\nij\n'], 3), ['abc', 'def', 'gh', 'ij'])
  assert.deepEqual(await collect(['€€\n'], 4), ['€', '€'])
  assert.deepEqual(await collect([Buffer.alloc(5, 0x80)], 2).then((parts) => parts.length), 3)
})

test('a buffer that its owner reuses changes nothing', () => {
  const splitter = createLineSplitter()
  const buffer = Buffer.from('abc')
  splitter.push(buffer)
  buffer.fill('x')
  assert.deepEqual(splitter.push(Buffer.from('\n')), ['abc'])
})

test('however the bytes are cut, the lines are the same', async () => {
  const pieces = fc.array(fc.constantFrom('a', 'é', '€', '\n', '\r\n', 'word'), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 7 }), async (parts, size) => {
      const bytes = Buffer.from(parts.join(''))
      const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      const expected = parts.join('').split(/\r?\n/)
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(await collect(cut), expected)
    }),
    { numRuns: 60 },
  )
})
