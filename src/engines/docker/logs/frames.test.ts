import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTimedLines } from './frames.ts'

const frame = (stream: 1 | 2, text: string) => {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const bytes = Buffer.concat([
  frame(1, '2026-01-01T00:00:00.000000001Z one\n'),
  frame(2, '2026-01-01T00:00:00.000000002Z ärger\r\n'),
  frame(1, '2026-01-01T00:00:00.000000003Z long, first half, '),
  frame(2, '2026-01-01T00:00:00.000000004Z between\n'),
  frame(1, '2026-01-01T00:00:00.000000005Z second half\n'),
  frame(1, '2026-01-01T00:00:00.000000006Z \n'),
  frame(1, '2026-01-01T00:00:00.000000007Z no newline at the end'),
])

test('lines come out whole, however the bytes are cut', async () => {
  for (const size of [1, 3, 7, 50, 10_000]) {
    const lines = await Array.fromAsync(readTimedLines(inPieces(bytes, size), false))
    assert.deepEqual(
      lines.map(({ time, stream, text }) => `${time.slice(-2, -1)} ${stream} ${text}`),
      [
        '1 stdout one',
        '2 stderr ärger',
        '4 stderr between',
        '5 stdout long, first half, second half',
        '6 stdout ',
        '7 stdout no newline at the end',
      ],
    )
  }
})

test('a terminal has one stream, without frames', async () => {
  const raw = Buffer.from('2026-01-01T00:00:00.1Z a b\r\n2026-01-01T00:00:00.2Z c\r\n')
  const lines = await Array.fromAsync(readTimedLines(inPieces(raw, 5), true))
  assert.deepEqual(
    lines.map(({ text }) => text),
    ['a b', 'c'],
  )
})

test('a line without end does not grow without end', async () => {
  async function* endless() {
    for (let index = 0; index < 20; index++)
      yield frame(1, `2026-01-01T00:00:00.000000001Z ${'x'.repeat(16 * 1024)}`)
  }
  const lines = await Array.fromAsync(readTimedLines(endless(), false))
  assert.ok(lines.every(({ text }) => text.length <= 80 * 1024))
  assert.equal(
    lines.reduce((sum, { text }) => sum + text.length, 0),
    20 * 16 * 1024,
  )
})
