import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { leaveToken, listLeftTokens } from '../../src/account/left-tokens.ts'
import { until } from '../../src/lib/poll.ts'
import { controlFor } from '../support/docker-rack.ts'
import { startInsideDaemons, type InsideDaemon, type InsideDaemons } from '../support/inside-daemon.ts'

const undo = new AsyncDisposableStack()
const tokens = { first: secret(), second: secret() }
let daemons: InsideDaemons
let daemon: InsideDaemon

before(async () => {
  daemons = undo.use(await startInsideDaemons())
  await leave('first', tokens.first)
  daemon = await daemons.start()
})
after(async () => await undo.disposeAsync())

function secret(): string {
  return randomBytes(24).toString('base64url')
}

const where = () => ({ clients: daemons.clients, bucket: daemons.places.bucket })

async function leave(name: string, token: string): Promise<void> {
  const sha256 = createHash('sha256').update(token).digest('hex')
  await leaveToken(where(), { name, sha256 }, controlFor(30_000))
}

interface Answer {
  status: number
  body: unknown
}

async function ask(method: string, path: string, token: string | null, body?: object): Promise<Answer> {
  const response = await fetch(`${daemon.url}${path}`, {
    method,
    headers: {
      'x-forwarded-for': '127.0.0.1, 192.0.2.7',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  })
  return { status: response.status, body: await response.json() }
}

async function untilAnswered(path: string, token: string | null): Promise<unknown> {
  let last: unknown
  const deadlineMs = 90_000
  const isThere = async () => {
    last = await ask('GET', path, token).catch((error: unknown) => String(error))
    return (last as Answer).status === 200
  }
  try {
    await until(isThere, { deadlineMs, what: 'the API to answer' })
  } catch (error) {
    throw new Error(`${JSON.stringify(last)}\n${await daemon.said()}`, { cause: error })
  }
  return (last as Answer).body
}

test('a daemon inside answers to the token that was left for it, and to nobody else', async () => {
  assert.deepEqual(await untilAnswered('/v1/health', null), { status: 'ready' })
  const info = (await untilAnswered('/v1/rack', tokens.first)) as { name: string }
  assert.equal(info.name, daemons.rack)
  assert.equal((await ask('GET', '/v1/rack', tokens.second)).status, 401)
})

test('a token that is left while it runs is taken in, and its hash is gone from the bucket', async () => {
  await leave('second', tokens.second)
  await untilAnswered('/v1/rack', tokens.second)
  const isTaken = async () => (await listLeftTokens(where(), controlFor(10_000))).length === 0
  await until(isTaken, { deadlineMs: 20_000, what: 'the hash to be gone' })
})

test('who calls is whom the balancer has seen, and what is done is written down', async () => {
  assert.equal((await ask('POST', '/v1/apps', tokens.first, { name: 'shop' })).status, 200)
  const { body } = await ask('GET', '/v1/rack/audit?limit=1', tokens.first)
  const [entry] = body as { verb: string; source: string }[]
  assert.deepEqual([entry!.verb, entry!.source], ['createApp', '192.0.2.7'])
})

test('after it was killed the next one has all', async () => {
  await daemon.kill()
  daemon = await daemons.start()
  await untilAnswered('/v1/rack', tokens.second)
  const { body: apps } = await ask('GET', '/v1/apps', tokens.first)
  assert.deepEqual(
    (apps as { name: string }[]).map(({ name }) => name),
    ['shop'],
  )
  assert.deepEqual((await ask('GET', '/v1/rack/audit/verify', tokens.first)).body, {
    entries: 1,
    fault: null,
  })
})

test('one that comes before the other has ended waits for the lead, and has it then', async () => {
  const [next, other] = await Promise.all([daemons.start(), daemons.start()])
  const waits = async (one: InsideDaemon) => (await one.said()).includes('the daemon waits for the lead')
  const areWaiting = async () => (await waits(next)) && (await waits(other))
  await until(areWaiting, { deadlineMs: 50_000, what: 'the next daemons to wait' })
  assert.equal(await other.stop(), 143, 'one that is not up yet ends at once')
  assert.equal(await daemon.stop(), 0)
  daemon = next
  await untilAnswered('/v1/rack', tokens.second)
  assert.deepEqual(daemons.account.calls.refused, [])
  assert.deepEqual(daemons.account.troubles, [])
})
