import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseForward } from './parse-forward.ts'

test('a port here is the same one unless it is named', () => {
  assert.deepEqual(parseForward('redis:6379'), { localPort: 6379, host: 'redis', port: 6379 })
  assert.deepEqual(parseForward('16379:redis:6379'), { localPort: 16_379, host: 'redis', port: 6379 })
  assert.deepEqual(parseForward('0:my-db.alias:5432'), { localPort: 0, host: 'my-db.alias', port: 5432 })
})

for (const word of [
  'redis',
  '6379',
  'redis:',
  ':6379',
  '1:2:3',
  'a:b:1',
  'redis:0',
  'redis:70000',
  '70000:redis:1',
]) {
  test(`"${word}" is no forward`, () => {
    assert.throws(() => parseForward(word), { code: 'usage' })
  })
}

test('an address is no host', () => {
  assert.throws(() => parseForward('8080:169.254.169.254:80'), { code: 'usage' })
})
