import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretPartName, secretTexts } from './environment-secret.ts'

test('variables go into one secret, and further ones where it is full', () => {
  assert.deepEqual(secretTexts({}), [])
  assert.deepEqual(secretTexts({ A: '1', B: '' }), [{ names: ['A', 'B'], text: '{"A":"1","B":""}' }])
  const long = 'x'.repeat(40_000)
  const names = secretTexts({ A: long, B: long, C: '1' }).map((part) => part.names)
  assert.deepEqual(names, [['A'], ['B', 'C']])
  assert.equal(secretPartName('rack/r/a/web-G', 0), 'rack/r/a/web-G')
  assert.equal(secretPartName('rack/r/a/web-G', 2), 'rack/r/a/web-G-2')
})

test('a value that no secret holds is refused by its name', () => {
  assert.throws(() => secretTexts({ BIG: 'x'.repeat(60_001) }), /BIG/)
})
