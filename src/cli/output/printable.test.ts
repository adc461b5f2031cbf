import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { steers, terminalTexts } from '../../../test/support/hostile/terminal-texts.ts'
import { printable, printableJson } from './printable.ts'

test('nothing that a terminal obeys is left, and the words stay', () => {
  for (const { attack, text, shown } of terminalTexts) assert.equal(printable(text), shown, attack)
})

test('what steers nothing is as it was', () => {
  for (const text of [
    '',
    'plain',
    'a\tb\nc\n',
    'größer → ✓ 日本語 👩‍💻',
    '[31m of somebody else',
    '\\u001b[2J',
  ]) {
    assert.equal(printable(text), text)
  }
})

test('lines that end as on Windows end as here', () => {
  assert.equal(printable('one\r\ntwo\r\r\nthree\r'), 'one\ntwo\nthree')
})

test('whatever the pieces, nothing is left that steers, and a second time changes nothing', () => {
  const pieces = fc.constantFrom(
    '\u001b',
    '\u009b',
    '\u009d',
    '[',
    ']',
    '2J',
    'm',
    ';',
    '\u0007',
    '\\',
    '\r',
    '\n',
    'x',
    '\u202e',
  )
  const texts = fc.oneof(
    fc.array(pieces).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const shown = printable(text)
      assert.ok(!steers(shown))
      assert.equal(printable(shown), shown)
    }),
  )
})

test('a megabyte that is made to be slow is read in one pass', () => {
  const long = 2 ** 20
  for (const piece of ['\r', '\u001b]', '\u009d', '\u001b[0', '\u001b[ ', '\u001b(', '\u001bP;']) {
    assert.ok(!steers(printable(`${piece.repeat(long / piece.length)}x`)), JSON.stringify(piece))
  }
})

test('JSON keeps its values, and steers nothing', () => {
  for (const { attack, text } of terminalTexts) {
    const json = printableJson(JSON.stringify({ text }))
    assert.ok(!steers(json), attack)
    assert.deepEqual(JSON.parse(json), { text }, attack)
  }
})
