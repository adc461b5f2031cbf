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
  const raw = Buffer.from('2026-01-01T00:00:00.1Z a b\r\n2026-01-01T00:00:00.2Z \r\n2026-01-01T00:00:00.3Z c')
  for (const size of [1, 5, 10_000]) {
    const lines = await Array.fromAsync(readTimedLines(inPieces(raw, size), true))
    assert.deepEqual(
      lines.map(({ time, text }) => `${time.slice(-3)} ${text}`),
      ['.1Z a b', '.2Z ', '.3Z c'],
    )
  }
})

test('a long line of a terminal has a time before each of its pieces, which is no part of it', async () => {
  const line = `${'ä'.repeat(20_000)} end`
  for (const [length, ending] of [
    [line.length, '\r\n'],
    // The newline comes with the next piece, alone or with the character before it.
    [16 * 1024, '\n'],
    [16 * 1024 - 1, '\r\n'],
  ] as const) {
    const text = length === line.length ? line : 'x'.repeat(length)
    const bytes = Buffer.from(text + ending)
    const pieces: Buffer[] = []
    for (let at = 0, count = 1; at < bytes.length; at += 16 * 1024, count++) {
      const time = `2026-01-01T00:00:00.00000000${count}Z `
      pieces.push(Buffer.from(time), bytes.subarray(at, at + 16 * 1024))
    }
    const raw = Buffer.concat([...pieces, Buffer.from('2026-01-01T00:00:01.000000000Z next\r\n')])
    for (const size of [1, 4096, raw.length]) {
      const lines = await Array.fromAsync(readTimedLines(inPieces(raw, size), true))
      assert.deepEqual(
        lines.map((each) => each.text),
        [text, 'next'],
      )
      const count = Math.ceil(bytes.length / (16 * 1024))
      assert.equal(lines[0]?.time, `2026-01-01T00:00:00.00000000${count}Z`)
    }
  }
})

test('a character on the edge of two pieces stays whole', async () => {
  const bytes = Buffer.from(`${'x'.repeat(16 * 1024 - 1)}ä\n`)
  const piece = (part: Buffer) => {
    const head = frame(1, `2026-01-01T00:00:00.000000001Z ${'x'.repeat(part.length)}`).subarray(0, 39)
    return Buffer.concat([head, part])
  }
  const framed = Buffer.concat([piece(bytes.subarray(0, 16 * 1024)), piece(bytes.subarray(16 * 1024))])
  const [line] = await Array.fromAsync(readTimedLines(inPieces(framed, 1000), false))
  assert.equal(line?.text.slice(-2), 'xä')
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
