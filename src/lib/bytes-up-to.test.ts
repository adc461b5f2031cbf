import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesUpTo } from './bytes-up-to.ts'

test('what is short is read whole, and of what is longer no more than says so', async () => {
  let given = 0
  async function* endless() {
    for (;;) yield Buffer.from(String(given++ % 10))
  }
  assert.equal(await bytesUpTo(endless(), 3), null)
  assert.equal(given, 4)
  const short = (async function* () {
    yield Buffer.from('ab')
    yield Buffer.from('c')
  })()
  assert.equal(String(await bytesUpTo(short, 3)), 'abc')
})
