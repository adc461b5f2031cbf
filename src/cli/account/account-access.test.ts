import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { untilAnswers } from './account-access.ts'

/** Answers one after the other; the last one again and again. */
function saying(...answers: (RackError | 'yes')[]): { client: Pick<Client, 'getRack'>; asked: () => number } {
  let count = 0
  const getRack = async () => {
    const answer = answers[Math.min(count, answers.length - 1)]!
    count += 1
    if (answer !== 'yes') throw answer
    return { version: '1.0.0' } as Awaited<ReturnType<Client['getRack']>>
  }
  return { client: { getRack }, asked: () => count }
}

const { signal } = new AbortController()
const refused = (status: number) =>
  new RackError('unreachable', `it answered ${status}`, { details: { status } })

test('whoever is untrusted is not waited for', async () => {
  const { client, asked } = saying(new RackError('untrusted', 'another certificate'))
  const waiting = untilAnswers(client, { rack: 'shop', deadlineMs: 10_000, signal })
  await assert.rejects(waiting, { code: 'untrusted' })
  assert.equal(asked(), 1)
})

for (const [status, hint] of [
  [404, /--api-allow/],
  [503, /rack doctor/],
] as const)
  test(`one that goes on answering ${status} is given up with what it says, and what to do`, async () => {
    const { client } = saying(refused(status))
    const waiting = untilAnswers(client, { rack: 'shop', deadlineMs: 20, signal })
    await assert.rejects(waiting, {
      code: 'timeout',
      message: `the API of shop does not answer: it answered ${status}`,
      hint,
    })
  })

test('an interrupt is told as that', async () => {
  const { client } = saying(refused(503))
  const interrupt = new AbortController()
  const waiting = untilAnswers(client, { rack: 'shop', deadlineMs: 10_000, signal: interrupt.signal })
  interrupt.abort(new RackError('cancelled', 'interrupted'))
  await assert.rejects(waiting, { code: 'cancelled' })
})

test('one that answers is had', async () => {
  const { version } = await untilAnswers(saying('yes').client, { rack: 'shop', deadlineMs: 1000, signal })
  assert.equal(version, '1.0.0')
})
