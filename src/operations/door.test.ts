import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEntry } from '../domain/audit.ts'
import type { Caller } from '../domain/caller.ts'
import { RackError } from '../domain/error.ts'
import { mayDo, roles } from '../domain/token.ts'
import { until } from '../lib/poll.ts'
import { startMemoryRack, tester, type MemoryRack } from '../../test/support/memory-rack.ts'
import { createAudit } from './audit.ts'
import { createDoor } from './door.ts'
import type { Operations } from './operations.ts'
import { verbs, type VerbName } from './verbs.ts'

const compose = 'services:\n  web:\n    image: shop\n    ports: ["80:3000"]\n    command: serve\n'
const reader: Caller = { name: 'reader', role: 'read', apps: null }
const shopkeeper: Caller = { name: 'shopkeeper', role: 'admin', apps: ['shop'] }

/** What the audit says, oldest first. */
async function toldBy({ store }: MemoryRack): Promise<string[]> {
  const words = ({ caller, verb, app, subject, outcome }: AuditEntry) =>
    [caller, verb, app, subject, outcome].map((word) => word ?? '-').join(' ')
  return (await store.audit.list({ limit: 100 })).map(words).reverse()
}

/** Calls a verb with an app where one belongs, and nothing else that it could work with. */
async function call(operations: Operations, name: VerbName, app: string): Promise<unknown> {
  const verb = operations[name] as (...args: unknown[]) => unknown
  const result = verb(app, 'subject', {}, {})
  if (verbs[name].yields !== true) return await result
  return await (result as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
}

test('every verb of the interface is in the table, and nothing else', async () => {
  await using rack = await startMemoryRack()
  assert.deepEqual(Object.keys(rack.operations).sort(), Object.keys(verbs).sort())
})

test('what wants more than to read is audited, but for lists of the rack and what a build, a backup or an export asks first', () => {
  const silent = Object.entries(verbs).filter(
    ([, verb]) => roles.indexOf(verb.permission) > roles.indexOf('read') && !verb.audited,
  )
  assert.deepEqual(
    silent.map(([name]) => name),
    ['listTokens', 'planRackBackup', 'listAudit', 'verifyAudit', 'planAppExport', 'getKeptSource'],
  )
  const loud = Object.entries(verbs).filter(([, verb]) => verb.permission === 'read' && verb.audited)
  assert.deepEqual(loud, [])
})

for (const [name, { permission, audited }] of Object.entries(verbs) as [
  VerbName,
  (typeof verbs)[VerbName],
][]) {
  if (mayDo('read', permission)) continue
  test(`who may only read is refused ${name}, with the role that it wants`, async () => {
    await using rack = await startMemoryRack()
    await assert.rejects(call(rack.room.operations.as(reader), name, 'shop'), {
      code: 'forbidden',
      message: new RegExp(`has the role read, and this wants ${permission}$`),
      details: { verb: name, permission },
    })
    assert.deepEqual(
      (await toldBy(rack)).map((line) => line.replace(/^(reader \w+) .* (\w+)$/, '$1 $2')),
      audited ? [`reader ${name} forbidden`] : [],
    )
  })
}

test('while a backup is taken in, what changes or runs something is refused, and reads stay open', async () => {
  await using rack = await startMemoryRack()
  await rack.objects.put('restore/volumes/shop/data', content(), rack.control)
  const operations = rack.room.operations.as({ name: 'alice', role: 'admin', apps: null })
  const refused: VerbName[] = []
  for (const name of Object.keys(verbs) as VerbName[]) {
    if (!verbs[name].audited) continue
    const error: unknown = await call(operations, name, 'shop').catch((reason: unknown) => reason)
    const isRefusal = error instanceof RackError && error.message.includes('still being restored')
    if (!isRefusal) continue
    assert.deepEqual([error.code, error.hint], ['conflict', 'How far it is: rack status'])
    await assert.rejects(rack.room.operations.check(tester, name, null), { code: 'conflict' })
    refused.push(name)
  }
  const open = Object.entries(verbs).filter(
    ([name, { audited }]) => audited && !refused.includes(name as VerbName),
  )
  assert.deepEqual(
    open.map(([name]) => name),
    ['revealService', 'readBackup', 'getEnvironment', 'processEnvironment'],
  )
  assert.equal((await operations.getRack(rack.control)).status, 'converging')
  assert.equal((await operations.listApps()).length, 0)
  await rack.objects.remove('restore/volumes/shop/data')
  await operations.createApp('shop')
})

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('data')
}

test('a caller of some apps is refused the others, and what is of the whole rack', async () => {
  await using rack = await startMemoryRack()
  const operations = rack.room.operations.as(shopkeeper)
  for (const [name, { scope }] of Object.entries(verbs) as [VerbName, (typeof verbs)[VerbName]][]) {
    if (scope === 'app') {
      await assert.rejects(call(operations, name, 'other'), { code: 'forbidden', message: /"other"/ }, name)
    }
    if (scope === 'rack') {
      await assert.rejects(call(operations, name, 'shop'), { code: 'forbidden', message: /whole rack/ }, name)
    }
  }
})

test('a caller of some apps works with them, and sees of lists what is theirs', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('other')
  const operations = rack.room.operations.as(shopkeeper)
  await operations.createApp('shop')
  assert.deepEqual(
    (await operations.listApps()).map(({ name }) => name),
    ['shop'],
  )
  assert.equal((await rack.operations.listApps()).length, 2)
  await assert.rejects(operations.listVolumes({ app: 'other', sizes: false }, rack.control), {
    code: 'forbidden',
  })
  assert.deepEqual(await operations.listVolumes({ sizes: false }, rack.control), [])
  assert.equal((await operations.getRack(rack.control)).apps, 1)
})

test('of every list and stream of many apps a caller of some gets what is theirs', async (t) => {
  const items = ['shop', 'other'].map((app) => ({ name: app, app, type: 'event' }))
  async function* stream() {
    yield* items
  }
  const listing = Object.fromEntries(
    Object.entries(verbs).map(([name, { yields }]) => [name, yields ? stream : async () => items]),
  ) as unknown as Operations
  const door = createDoor({
    authenticate: async () => null,
    verbsFor: () => listing,
    audit: { tell: (_note, call) => call(), refused: async () => undefined },
  })
  for (const [name, { scope, yields }] of Object.entries(verbs)) {
    if (scope !== 'apps') continue
    await t.test(name, async () => {
      const verb = door.as(shopkeeper)[name as VerbName] as (...args: unknown[]) => unknown
      const found = verb({}, {})
      const theirs = yields ? await Array.fromAsync(found as AsyncIterable<unknown>) : await found
      assert.deepEqual(theirs, items.slice(0, 1))
    })
  }
})

test('who holds what of the rack is told to a caller of some apps without the names of others', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('other')
  await rack.deploy('other', compose)
  await rack.operations.createApp('shop')
  await rack.deploy('shop', compose)
  const { control, operations, room } = rack
  const owner = room.operations.as(shopkeeper)
  const told = [await owner.getCapacity(control), (await owner.getRack(control)).capacity]
  for (const { holders, reserved } of told) {
    assert.deepEqual(holders.map(({ app, type }) => `${app}/${type}`).sort(), ['shop/web', '–/–'])
    assert.deepEqual(reserved, (await operations.getCapacity(control)).reserved)
  }
})

test('a caller of some apps gets no login to what another app has in a service', async () => {
  await using rack = await startMemoryRack()
  const { operations: all, room, control, store, engine } = rack
  for (const app of ['shop', 'blog', 'desk']) await all.createApp(app)
  await rack.deploy('blog', compose)
  await all.createService({ name: 'main', type: 'postgres' }, control)
  const as = (...apps: string[]) => room.operations.as({ name: 'ci', role: 'deploy', apps })
  const database = { service: 'main', database: 'shared' }
  const refused = { code: 'forbidden', message: /main.* is another app's too$/, hint: /--database NAME/ }

  await as('shop').createLink('shop', database, control)
  await assert.rejects(as('blog').createLink('blog', database, control), refused)
  assert.deepEqual((await store.releases.newest('blog'))?.links, [])
  assert.deepEqual([...engine.world.servers.get('_main')!.logins.keys()], ['shop_main_v1'])
  assert.equal((await toldBy(rack)).at(-1), 'ci createLink blog main forbidden')
  const theirs = await as('shop', 'blog').createLink('blog', database, control)
  await as('blog').rotateLink('blog', 'main', control)
  assert.equal((await as('blog').createLink('blog', database, control)).isNew, false, 'what it has stays')
  await all.createLink('desk', database, control)

  // Nor by a way back, once it was taken away.
  await all.deleteLink('blog', 'main')
  await all.revokeLogins('blog', 'main', control)
  const back = (caller: typeof all) =>
    caller.rollbackRelease('blog', theirs.release.id, { releaseCommand: true }, control)
  await assert.rejects(back(as('blog')), refused)

  engine.world.servers.get('_main')!.data.add('left')
  const left = { service: 'main', database: 'left' }
  await assert.rejects(as('blog').createLink('blog', left, control), {
    code: 'forbidden',
    message: 'main has a database "left" already, which links have left',
  })
  await as('blog').createLink('blog', { service: 'main', database: 'fresh' }, control)
})

test('the audit tells who, what, of which app and how it ended; never a value or a command', async () => {
  await using rack = await startMemoryRack()
  const alice = rack.room.operations.as({ name: 'alice', role: 'admin', apps: null })
  await alice.createApp('shop')
  await alice.changeEnvironment('shop', { set: { TOKEN: 'hunter2' }, unset: [], replace: false })
  const release = await rack.build('shop', compose)
  await alice.promoteRelease('shop', release, { releaseCommand: true }, rack.control)
  const run = { type: 'web', command: ['echo', 'hunter2'], release: null, timeoutMs: null }
  const running = await alice.runProcess('shop', run, null, rack.control)
  await running.exit
  await assert.rejects(alice.createApp('shop'), { code: 'exists' })
  await assert.rejects(alice.promoteRelease('shop', 'RNOTHERE', { releaseCommand: true }, rack.control), {
    code: 'not-found',
  })
  const told = await toldBy(rack)
  assert.deepEqual(told, [
    'alice createApp shop - done',
    'alice changeEnvironment shop TOKEN done',
    'test buildApp shop - done',
    `alice promoteRelease shop ${release} done`,
    'alice runProcess shop web done',
    'alice createApp shop - exists',
    'alice promoteRelease shop RNOTHERE not-found',
  ])
  assert.deepEqual(
    (await alice.listAudit({ limit: 1 })).map(({ outcome }) => outcome),
    ['not-found'],
  )
})

test('what is no name at all does not fill the audit', async () => {
  await using rack = await startMemoryRack()
  await assert.rejects(rack.operations.createApp('x'.repeat(1_000_000)), { code: 'invalid' })
  assert.deepEqual(await toldBy(rack), [
    `test createApp ${'x'.repeat(300)}… and 999700 letters more - invalid`,
  ])
})

test('the audit names every variable of a long list, and to whom a service is given', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const names = Array.from({ length: 60 }, (_, at) => `A_VARIABLE_${at}`)
  const set = Object.fromEntries(names.map((name) => [name, 'x']))
  await operations.changeEnvironment('shop', { set, unset: [], replace: false })
  assert.equal((await toldBy(rack)).at(-1), `test changeEnvironment shop ${names.join(' ')} done`)
  await assert.rejects(operations.shareService('main', { consumer: 'far' }, control), { code: 'not-found' })
  assert.equal((await toldBy(rack)).at(-1), 'test shareService - main far not-found')
})

test('who is refused over and over does not drive out of the audit what others did', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const denied = rack.room.operations.as(reader)
  for (let at = 0; at < 150; at++)
    await assert.rejects(denied.deleteApp('shop', { unlink: false, volumes: false }, rack.control))
  const other = rack.room.operations.as({ ...reader, name: 'other' })
  await assert.rejects(other.deleteApp('shop', { unlink: false, volumes: false }, rack.control))
  const told = (await rack.store.audit.list({ limit: 1000 })).map(({ caller }) => caller)
  assert.deepEqual(Map.groupBy(told, String).get('reader')?.length, 100)
  assert.deepEqual([told[0], told.at(-1)], ['other', 'test'])
})

test('what goes on has no outcome yet, and the journal names who asked', async () => {
  await using rack = await startMemoryRack()
  const { control } = rack
  await rack.operations.createApp('shop')
  const release = await rack.build('shop', compose.replace('serve', 'pause 300 serve'))
  const alice = rack.room.operations.as({ name: 'alice', role: 'admin', apps: null })
  const promoted = alice.promoteRelease('shop', release, { releaseCommand: true }, control)
  const isRunning = async () => (await rack.store.operations.running()).length === 1
  await until(isRunning, { deadlineMs: 5000, what: 'the promote to begin' })
  assert.deepEqual((await toldBy(rack)).at(-1), `alice promoteRelease shop ${release} -`)
  assert.equal((await rack.store.operations.running())[0]?.actor, 'alice')
  await promoted
  assert.deepEqual((await toldBy(rack)).at(-1), `alice promoteRelease shop ${release} done`)
})

test('an audit that cannot be written is said, and refuses nothing', async () => {
  const said: string[] = []
  const fails = async () => {
    throw new RackError('disk-full', 'the disk is full')
  }
  const audit = createAudit(
    { begin: fails, end: fails, list: fails, verify: fails },
    (_level, message, facts) =>
      void said.push(`${message}: ${String(facts?.['code'] ?? facts?.['outcome'])}`),
  )
  const note = { caller: 'alice', verb: 'prune', app: null, subject: null, source: null, request: null }
  assert.equal(await audit.tell(note, async () => 7), 7)
  assert.deepEqual(said, ['the audit has no row of this: disk-full', 'audit: done'])
})
