import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { openScreen } from './screen.ts'

function terminal(rows: number, columns: number) {
  const stream = Object.assign(new PassThrough(), { rows, columns })
  const read = () => String(stream.read() ?? '')
  return { stream, screen: openScreen(stream as unknown as NodeJS.WriteStream, (text) => text), read }
}

test('a screen is drawn in place, cut to its size, and again when that changes', () => {
  const { stream, screen, read } = terminal(3, 11)
  assert.equal(read(), '\u001b[?1049h\u001b[?25l', 'a screen of its own, without a cursor')
  screen.show([{ text: 'short', paint: (text) => `<${text}>` }, { text: 'long, longer\u001b[2J' }])
  assert.equal(read(), '\u001b[H<short>\u001b[K\r\nlong, lon…\u001b[K\u001b[J')
  stream.rows = 1
  stream.columns = 20
  stream.emit('resize')
  assert.equal(read(), '\u001b[H… 2 more lines\u001b[K\u001b[J')
})

test('closed, the cursor and what was there before are back, once', () => {
  const { stream, screen, read } = terminal(3, 20)
  read()
  screen[Symbol.dispose]()
  screen[Symbol.dispose]()
  stream.emit('resize')
  assert.equal(read(), '\u001b[?25h\u001b[?1049l')
})
