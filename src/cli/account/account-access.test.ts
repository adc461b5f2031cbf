import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuthority } from '../../lib/x509/issue.ts'
import type { ApiAccess } from '../../account/api-access.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { withAccess } from '../racks-file.ts'
import type { World } from '../world.ts'
import { knownInAccount, makeAccountToken, untilAnswers } from './account-access.ts'

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

test('where its certificate was renewed just now, the one before is', async () => {
  const { client, asked } = saying(new RackError('untrusted', 'another certificate'), 'yes')
  await untilAnswers(client, { rack: 'shop', deadlineMs: 10_000, signal, isRenewed: true })
  assert.equal(asked(), 2)
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

/** An account whose daemon is as it is said; `onLeave` runs when a token's hash is written into its bucket. */
function accountOf(
  services: object[],
  onLeave: () => void = () => assert.fail('a token was left'),
): Pick<OpenAccount, 'clients'> {
  const ecs = { describeServices: async () => ({ services }) }
  const objects = { putObject: async () => onLeave(), deleteObject: async () => undefined }
  return { clients: { ecs, objects } as unknown as OpenAccount['clients'] }
}

const world = { env: {}, version: '1.0.0' } as World
const span = { from: new Date(), until: new Date(Date.now() + 86_400_000) }
const { certificate } = await createAuthority({ name: 'api.shop.internal', ...span })
const access: ApiAccess = {
  id: '123456789012',
  region: 'eu-west-1',
  rack: 'shop',
  apiHost: 'api.shop.internal',
  balancer: '127.0.0.1',
  certificate,
  certificateArn: 'arn',
  fingerprint: 'AB',
  bucket: 'b',
  cluster: 'c',
  service: 'rack-shop-daemon',
}
const running = { status: 'ACTIVE', desiredCount: 1, runningCount: 1 }

for (const [how, services, hint] of [
  ['stopped', [{ ...running, desiredCount: 0 }], /rack start --region eu-west-1 --rack shop$/],
  ['gone', [], /rack update --rack shop$/],
] as const)
  test(`a daemon that is ${how} gets no token, and it is said at once`, async () => {
    const making = makeAccountToken(accountOf([...services]), access, world, { signal })
    await assert.rejects(making, { code: 'conflict', hint })
  })

test('whoever leaves before the answer hears by which name the token may stand', async () => {
  const interrupt = new AbortController()
  const account = accountOf([running], () => interrupt.abort(new RackError('cancelled', 'interrupted')))
  const making = makeAccountToken(account, access, world, interrupt)
  await assert.rejects(making, {
    code: 'cancelled',
    message: 'interrupted',
    hint: /^The new token may stand there as (login-\d+); .*: rack tokens revoke \1$/,
  })
})

test('a rack that shows another certificate is believed under each of its names here, with the token of each', () => {
  const before = knownInAccount(access, { name: 'shop', token: 'one' })
  const far = { ...before, name: 'far', token: 'two' }
  const other = { ...before, name: 'other', account: { ...before.account!, region: 'eu-test-2' } }
  const here = { name: 'here', url: 'unix:/run/rack.sock', token: 'three' }
  const now = knownInAccount(
    { ...access, fingerprint: 'CD', balancer: 'moved' },
    { name: 'new', token: 'four' },
  )
  const { pin, account } = now
  assert.deepEqual(withAccess({ racks: [before, far, other, here], current: 'far' }, now), {
    racks: [{ ...before, pin, account }, { ...far, pin, account }, other, here],
    current: 'far',
  })
})
