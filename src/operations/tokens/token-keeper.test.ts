import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { until } from '../../lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../../../test/support/memory-rack.ts'
import { createTokenKeeper, type TokenKeeper } from './token-keeper.ts'

const ci = { name: 'ci', role: 'deploy', apps: ['shop'], lifetimeMs: null } as const
const day = 24 * 3600 * 1000

interface Keeping extends AsyncDisposable {
  keeper: TokenKeeper
  rack: MemoryRack
  /** Lets time pass. */
  later: (ms: number) => void
}

async function keepTokens(): Promise<Keeping> {
  const rack = await startMemoryRack()
  let nowMs = Date.parse('2026-11-29T00:00:00.000Z')
  const keeper = createTokenKeeper({
    store: rack.store.tokens,
    now: () => new Date(nowMs),
    log: () => undefined,
  })
  await keeper.takeIn('install', hashOf('token of the install'))
  return {
    keeper,
    rack,
    later: (ms) => void (nowMs += ms),
    [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose](),
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function wanted(change: Partial<Parameters<TokenKeeper['create']>[0]> = {}) {
  return { ...ci, apps: ['shop'], ...change }
}

test('a token lets its holder in with its role and apps; the store has a hash of it and nothing else', async () => {
  await using keeping = await keepTokens()
  const { keeper, rack } = keeping
  const { token, ...made } = await keeper.create(wanted())
  assert.match(token, /^rack_[\w-]{43}$/)
  assert.deepEqual(made, {
    name: 'ci',
    role: 'deploy',
    apps: ['shop'],
    created: made.created,
    expires: null,
    lastUsed: null,
  })
  assert.deepEqual((await keeper.authenticate(token))?.caller, { name: 'ci', role: 'deploy', apps: ['shop'] })
  for (const wrong of [`${token}x`, token.slice(0, -1), '', hashOf(token)])
    assert.equal(await keeper.authenticate(wrong), null)
  const kept = await rack.store.tokens.list()
  assert.deepEqual(
    kept.map(({ name, sha256 }) => [name, sha256]),
    [
      ['ci', hashOf(token)],
      ['install', hashOf('token of the install')],
    ],
  )
  assert.doesNotMatch(JSON.stringify([kept, await keeper.list()]), new RegExp(token))
})

test('a name is taken while its token is good', async () => {
  await using keeping = await keepTokens()
  const { keeper, later } = keeping
  await keeper.create(wanted({ lifetimeMs: day }))
  await assert.rejects(keeper.create(wanted()), { code: 'exists', hint: /rack tokens revoke ci/ })
  later(day)
  await keeper.create(wanted({ role: 'read' }))
  assert.deepEqual(
    (await keeper.list()).map(({ name, role }) => `${name} ${role}`),
    ['ci read', 'install admin'],
  )
})

test('what has expired is forgotten in the end', async () => {
  await using keeping = await keepTokens()
  const { keeper, later } = keeping
  await keeper.create(wanted({ lifetimeMs: day }))
  later(30 * day)
  await keeper.create(wanted({ name: 'other' }))
  const names = async () => (await keeper.list()).map(({ name }) => name)
  assert.deepEqual(await names(), ['ci', 'install', 'other'], 'it says for a while why it is good no more')
  later(day)
  await keeper.create(wanted({ name: 'another' }))
  assert.deepEqual(await names(), ['another', 'install', 'other'])
})

test('of two that want a name at the same time one gets it', async () => {
  await using keeping = await keepTokens()
  const both = await Promise.allSettled([keeping.keeper.create(wanted()), keeping.keeper.create(wanted())])
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('what cannot be is refused', async (t) => {
  await using keeping = await keepTokens()
  const impossible = {
    'a name with a newline': { name: 'c\ni' },
    'no name': { name: '' },
    'the rack\u2019s own name': { name: 'rack' },
    'a path': { name: '../ci' },
    'an app that cannot be': { apps: ['Shop'] },
    'no app at all': { apps: [] },
    'no life': { lifetimeMs: 0 },
    'a life of an age': { lifetimeMs: 100 * 365 * day },
  }
  for (const [what, change] of Object.entries(impossible)) {
    await t.test(what, async () => {
      await assert.rejects(keeping.keeper.create(wanted(change)), { code: 'invalid' })
    })
  }
  assert.equal((await keeping.keeper.list()).length, 1)
})

test('a role of a later version lets nobody in, and says so; its token is listed, and can be revoked', async () => {
  await using keeping = await keepTokens()
  const { keeper, rack } = keeping
  const later = { name: 'watcher', role: 'auditor', apps: null, expires: null }
  await rack.store.tokens.add({ ...later, sha256: hashOf('of a later version') })
  await assert.rejects(keeper.authenticate('of a later version'), {
    code: 'unauthorized',
    message: 'the token "watcher" has a role that this version of Rack does not know: auditor',
  })
  const roles = async () => (await keeper.list()).map(({ role }) => role)
  assert.deepEqual(await roles(), ['admin', 'auditor'])
  await keeper.revoke('watcher')
  assert.deepEqual(await roles(), ['admin'])
})

test('one that has expired lets nobody in, and says so; what is open by it hears of the moment', async () => {
  await using keeping = await keepTokens()
  const { keeper, later } = keeping
  const { token } = await keeper.create(wanted({ lifetimeMs: day }))
  later(day - 10)
  const login = await keeper.authenticate(token)
  const heard: string[] = []
  using _watching = login?.whenOver(({ message }) => heard.push(message))
  later(10)
  await until(() => heard.length > 0, { deadlineMs: 20_000, what: 'the end to be told' })
  const message = 'the token "ci" was good until 2026-11-30T00:00:00.000Z'
  assert.deepEqual(heard, [message])
  await assert.rejects(keeper.authenticate(token), { code: 'unauthorized', message })
})

test('one that is revoked lets nobody in, and what is open by it hears at once; what is not, hears nothing', async () => {
  await using keeping = await keepTokens()
  const { keeper } = keeping
  const { token } = await keeper.create(wanted())
  const other = await keeper.create(wanted({ name: 'other' }))
  const heard: string[] = []
  const hear = (who: string) => (reason: Error) => void heard.push(`${who}: ${reason.message}`)
  const login = await keeper.authenticate(token)
  login?.whenOver(hear('open'))
  login?.whenOver(hear('left'))[Symbol.dispose]()
  ;(await keeper.authenticate(other.token))?.whenOver(hear('other'))
  await keeper.revoke('ci')
  assert.deepEqual(heard, ['open: the token "ci" was revoked'])
  assert.equal(await keeper.authenticate(token), null)
  // Who was let in just before it hears of it too.
  login?.whenOver(hear('late'))
  await until(() => heard.length > 1, { deadlineMs: 20_000, what: 'the late one to hear' })
  assert.equal(heard[1], 'late: the token "ci" was revoked')
  await assert.rejects(keeper.revoke('ci'), { code: 'not-found' })
})

test('the last token that may administer the rack stays', async () => {
  await using keeping = await keepTokens()
  const { keeper, later } = keeping
  await keeper.create(wanted({ name: 'short', role: 'admin', apps: null, lifetimeMs: day }))
  await keeper.create(wanted({ name: 'part', role: 'admin' }))
  later(day)
  await assert.rejects(keeper.revoke('install'), { code: 'conflict', hint: /--role admin/ })
  await keeper.create(wanted({ name: 'alice', role: 'admin', apps: null }))
  await keeper.revoke('install')
})

test('the last use is kept, once a minute', async () => {
  await using keeping = await keepTokens()
  const { keeper, later, rack } = keeping
  const { token } = await keeper.create(wanted())
  const lastUsed = async () => (await rack.store.tokens.list()).find(({ name }) => name === 'ci')?.lastUsed
  const used = async (time: string) => {
    await keeper.authenticate(token)
    await until(async () => (await lastUsed()) === time, { deadlineMs: 20_000, what: 'the use to be kept' })
  }
  await used('2026-11-29T00:00:00.000Z')
  later(59_000)
  await used('2026-11-29T00:00:00.000Z')
  later(1000)
  await used('2026-11-29T00:01:00.000Z')
})

test('one that another program has written into the store is known at once', async () => {
  await using keeping = await keepTokens()
  const sha256 = hashOf('theirs')
  await keeping.rack.store.tokens.add({ name: 'theirs', sha256, role: 'read', apps: null, expires: null })
  assert.equal((await keeping.keeper.authenticate('theirs'))?.caller.name, 'theirs')
})
