import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOfText } from './store-keys.ts'

const nowhere = { read: async () => null, write: async () => undefined }
const text = 'a secret that nobody guesses, 40 letters'

test('a text gives the same keys each time, one for what is sealed and another for the audit', async () => {
  const [one, again] = [text, text].map((given) => keysOfText(given, 'KEY', nowhere))
  const [seals, audit] = [await one!.seals.read(), await one!.audit.read()]
  assert.equal(seals!.length, 32)
  assert.deepEqual([await again!.seals.read(), await again!.audit.read()], [seals, audit])
  assert.notDeepEqual(seals, audit)
  const other = keysOfText(`${text}.`, 'KEY', nowhere)
  assert.notDeepEqual(await other.seals.read(), seals)
})

test('a text that could be guessed is refused by the name of where it is, and not shown', () => {
  assert.throws(
    () => keysOfText('hunter2', 'RACK_STORE_KEY', nowhere),
    ({ code, message }: { code: string; message: string }) =>
      code === 'invalid' && message.startsWith('RACK_STORE_KEY has') && !message.includes('hunter2'),
  )
})
