import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLogPattern } from './log-pattern.ts'

test('a text is looked for as it is, an expression stands between slashes', () => {
  assert.deepEqual(parseLogPattern('a.b'), { text: 'a.b' })
  assert.deepEqual(parseLogPattern('/'), { text: '/' })
  assert.deepEqual(parseLogPattern('/api'), { text: '/api' })
  assert.deepEqual(parseLogPattern('/a.b/i'), { expression: /a.b/i })
})

test('what is no expression is refused, and so is one with a flag that changes which lines are tried', () => {
  assert.throws(() => parseLogPattern('/(/'), { code: 'invalid' })
  assert.throws(() => parseLogPattern(''), { code: 'invalid' })
  assert.throws(() => parseLogPattern('x'.repeat(1001)), { code: 'invalid' })
  assert.deepEqual(parseLogPattern('/a/g'), { text: '/a/g' })
})
