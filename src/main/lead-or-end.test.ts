import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { leadOrEnd } from './lead-or-end.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const said: string[] = []
const log = { info: (_facts: object, message: string) => void said.push(message) } as never

/** The lead of a store that another has until it was asked for so often. */
function ledFor(times: number) {
  let asked = 0
  return async () => {
    if (++asked <= times) throw new RackError('conflict', 'rack daemon 7 leads this store already')
    return { lost: control.signal, [Symbol.asyncDispose]: async () => undefined }
  }
}

test('one that takes the place of another waits for its end, and says so once', async () => {
  await using _lead = await leadOrEnd({ lead: ledFor(2), log, patienceMs: 60_000 }, control)
  assert.deepEqual(said, ['the daemon waits for the lead'])
})

test('one that goes on to lead is waited for no longer than that, and not at all on a machine', async () => {
  for (const patienceMs of [0, 1]) {
    await assert.rejects(leadOrEnd({ lead: ledFor(Infinity), log, patienceMs }, control), {
      code: 'conflict',
    })
  }
})

test('what else is wrong with a store is no reason to wait', async () => {
  const lead = () => Promise.reject(new RackError('store-failed', 'it does not answer'))
  await assert.rejects(leadOrEnd({ lead, log, patienceMs: 60_000 }, control), { code: 'store-failed' })
})
