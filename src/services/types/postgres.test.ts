import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { identifier, literal, postgres } from './postgres.ts'

const odd = String.raw`a'"\\;--é@/:%?# $1 \gexec`

/** As Postgres reads what is between two quotes: a doubled one is one, a single one ends it. */
function readQuoted(text: string, quote: string): { value: string; rest: string } {
  assert.equal(text[0], quote)
  let [value, at] = ['', 1]
  for (; at < text.length; at++) {
    if (text[at] !== quote) value += text[at]
    else if (text[at + 1] === quote) value += text[at++]
    else break
  }
  return { value, rest: text.slice(at + 1) }
}

test('any text is one literal and one identifier', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(odd)), (text) => {
      assert.deepEqual(readQuoted(literal(text), "'"), { value: text, rest: '' })
      assert.deepEqual(readQuoted(identifier(text), '"'), { value: text, rest: '' })
    }),
  )
})

test('the password is in the input once, and nowhere else', () => {
  const { command, input, secrets } = postgres.logins!.create({
    data: 'shop_db',
    username: 'shop_db_v1',
    password: odd,
    keyPrefix: null,
  })
  assert.equal(input.split(literal(odd)).length, 2)
  assert.ok(!command.join(' ').includes(odd))
  assert.deepEqual(secrets, [odd])
})

test('a newer server takes the backup of an older one, never the other way round', () => {
  const data = postgres.data!
  assert.ok(data.canRestore('13', '15'))
  assert.ok(data.canRestore('15-alpine', '15.4'))
  assert.ok(!data.canRestore('15', '13'))
  assert.ok(!data.canRestore('15', 'latest'))
})

test('the folder of the data follows the image', () => {
  assert.equal(postgres.dataPath('15'), '/var/lib/postgresql/data')
  assert.equal(postgres.dataPath('18'), '/var/lib/postgresql')
})
