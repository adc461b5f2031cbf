import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createCipher } from './encryption.ts'

const key = randomBytes(32)
const cipher = createCipher(key, randomBytes)
const place = ['release', 'shop', 'RAAAAAAAAAA']
const isStoreFailed = { code: 'store-failed' }

test('any text comes back from its envelope, in its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (text, where) => {
      assert.equal(cipher.open(cipher.seal(text, where), where), text)
    }),
  )
})

test('the same text never has the same envelope', () => {
  assert.notEqual(cipher.seal('text', place), cipher.seal('text', place))
})

test('an envelope says its version and its key', () => {
  assert.match(cipher.seal('text', place), new RegExp(`^v1\\.${cipher.keyId}\\.[A-Za-z0-9_-]+$`))
  assert.equal(createCipher(key, randomBytes).keyId, cipher.keyId)
  assert.notEqual(createCipher(randomBytes(32), randomBytes).keyId, cipher.keyId)
})

test('no bit of an envelope may change', () => {
  const [version, id, body = ''] = cipher.seal('text', place).split('.')
  const bytes = Buffer.from(body, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    const envelope = [version, id, changed.toString('base64url')].join('.')
    assert.throws(() => cipher.open(envelope, place), isStoreFailed)
  }
})

test('another place, another key, and what is no envelope do not open', () => {
  const envelope = cipher.seal('text', place)
  assert.throws(() => cipher.open(envelope, ['release', 'shop', 'RAAAAAAAAAB']), isStoreFailed)
  assert.throws(() => cipher.open(envelope, ['release', 'shopRAAAAAAAAAA']), isStoreFailed)
  assert.throws(() => cipher.open(envelope, ['build', 'shop', 'RAAAAAAAAAA']), isStoreFailed)
  const other = createCipher(randomBytes(32), randomBytes)
  assert.throws(() => other.open(envelope, place), { code: 'store-failed', message: /another key/ })
  const renamed = envelope.replace(cipher.keyId, other.keyId)
  assert.throws(() => other.open(renamed, place), { code: 'store-failed', message: /damaged/ })
  for (const text of [
    '',
    'v1',
    'v1..',
    `${envelope}.x`,
    envelope.slice(0, 40),
    envelope.replace('v1', 'v2'),
  ]) {
    assert.throws(() => cipher.open(text, place), isStoreFailed, text)
  }
})

test('a key has 32 bytes', () => {
  assert.throws(() => createCipher(randomBytes(16), randomBytes), RangeError)
})
