import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idPattern, makeId } from './id.ts'

test('an id is its prefix and ten capitals, even from uneven bytes', () => {
  let call = 0
  const bytes = (count: number) => new Uint8Array(count).fill(call++ === 0 ? 255 : 25)
  assert.equal(makeId('R', bytes), 'RZZZZZZZZZZ')
  assert.match(
    makeId('B', (count) => new Uint8Array(count)),
    idPattern,
  )
})
