import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redis } from '../types/redis.ts'
import { quoted } from './redis-like.ts'

const odd = String.raw`a'"\\;--é@/:%?# `

/** As the client reads a word in double quotes. */
function readQuoted(text: string): string {
  assert.match(text, /^"[^" ]*"$/)
  const bytes = text.slice(1, -1).replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => `%${hex}`)
  return decodeURIComponent(bytes)
}

test('any text is one word', () => {
  const text = fc.string({ unit: 'grapheme' }).map((word) => word.replaceAll('%', ''))
  fc.assert(fc.property(text, (word) => assert.equal(readQuoted(quoted(word)), word)))
  assert.equal(quoted('a b%'), String.raw`"a\x20b\x25"`)
  assert.equal(Buffer.from(readQuoted(quoted(odd.replace('%', '')))).toString(), odd.replace('%', ''))
})

test('a prefix is no pattern, and shuts out what tells of other keys', () => {
  const login = { data: 'shop', username: 'shop_v1', password: odd, keyPrefix: 'a*:' }
  const { input } = redis.logins!.create(login)
  assert.ok(input.includes(`"~a${String.raw`\x5c*`}:*"`), input)
  for (const command of ['-keys', '-scan', '-flushall', '-@admin']) assert.ok(input.includes(command))
  const whole = redis.logins!.create({ ...login, keyPrefix: null }).input
  assert.ok(whole.includes('"~*"') && !whole.includes('-scan'))
})
