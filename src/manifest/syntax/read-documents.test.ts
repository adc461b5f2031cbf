import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineCounter } from 'yaml'
import { readDocuments } from './read-documents.ts'

function read(text: string) {
  return readDocuments(text, new LineCounter(), { length: 0, parts: 0 })
}

test('a text that is nested beyond reason is refused as such, in blocks and in brackets', () => {
  for (const text of ['['.repeat(300), '{a: '.repeat(300), '- '.repeat(300), '? '.repeat(300)])
    assert.equal(read(text), 'too deep')
  assert.ok(Array.isArray(read(`${'['.repeat(50)}${']'.repeat(50)}`)))
})

test('a long text of tiny parts is refused before it is read; a longer one of usual parts is read', () => {
  assert.equal(read('k: 1\n'.repeat(10_000)), 'too many parts')
  assert.ok(Array.isArray(read('k: 1\n'.repeat(1000))))
  const names = `[${'p12, '.repeat(100)}]`
  assert.ok(Array.isArray(read(`- ${names}\n`.repeat(490))))
  const usual = read('a-usual-key: and its value\n'.repeat(20_000))
  assert.ok(Array.isArray(usual) && usual[0]?.errors.length === 0)
})

test('of many documents two are looked at, empty ones aside', () => {
  const documents = read('---\na: 1\n'.repeat(50))
  assert.equal(documents.length, 2)
  const late = read('# nothing\n---\na: 1\n')
  assert.ok(Array.isArray(late))
  assert.deepEqual(
    late.map((document) => document.toJS() as unknown),
    [{ a: 1 }],
  )
})

test('places count from the start of the text, and stack traces are as before', () => {
  const lines = new LineCounter()
  const before = Error.stackTraceLimit
  const documents = readDocuments('a: 1\nb: ]\n', lines, { length: 0, parts: 0 })
  assert.ok(Array.isArray(documents))
  assert.deepEqual(lines.linePos(documents[0]?.errors[0]?.pos[0] ?? 0), { line: 2, col: 4 })
  assert.equal(Error.stackTraceLimit, before)
})
