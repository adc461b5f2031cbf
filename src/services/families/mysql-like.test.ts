import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mariadb } from '../types/mariadb.ts'
import { identifier, literal } from './mysql-like.ts'

const odd = String.raw`a'"\\;--é@/:%?# \ `

/** As MySQL reads a literal: a backslash takes what follows it as it is, but for a few letters. */
function readLiteral(text: string): { value: string; rest: string } {
  assert.equal(text[0], "'")
  let [value, at] = ['', 1]
  for (; at < text.length && text[at] !== "'"; at++) {
    if (text[at] === '\\') {
      at++
      assert.match(text[at] ?? '', /['\\]/)
    }
    value += text[at]
  }
  return { value, rest: text.slice(at + 1) }
}

test('any text is one literal and one identifier', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(odd)), (text) => {
      assert.deepEqual(readLiteral(literal(text)), { value: text, rest: '' })
      const name = identifier(text)
      assert.ok(name.startsWith('`') && name.endsWith('`'))
      assert.equal(name.slice(1, -1).replaceAll('``', '`'), text)
      assert.doesNotMatch(name.slice(1, -1).replaceAll('``', ''), /`/)
    }),
  )
})

test('a grant is of one database: its name is no pattern', () => {
  const login = { data: 'shop_db', username: 'shop_db_v1', password: odd, keyPrefix: null }
  const { input, command, secrets } = mariadb.logins!.create(login)
  assert.ok(input.includes("GRANT ALL PRIVILEGES ON `shop\\_db`.* TO 'shop_db_v1'@'%';"))
  assert.ok(!command.join(' ').includes(odd))
  assert.deepEqual(secrets, [odd])
})

test('a series has files of its own; a dump goes forward only', () => {
  assert.equal(mariadb.versions.format('10.11.6-jammy'), '10.11')
  const data = mariadb.data!
  assert.ok(data.canRestore('10.6', '10.11'))
  assert.ok(data.canRestore('10.11', '11.4'))
  assert.ok(!data.canRestore('11.4', '10.11'))
})
