import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { startMemoryRack } from '../support/memory-rack.ts'

const compose = `services:
  web: { image: shop, command: serve, links: [db] }
  worker: { image: shop, command: sleep, links: [db] }
  db: { image: store, command: serve 5432, expose: [5432] }
`
const fails = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RackError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(`${error.message}\n${error.hint}`, message)
  return true
}

/** Apps that run, and a database and a store of keys to link them to. */
async function openWorld(...apps: string[]) {
  const rack = await startMemoryRack()
  const { operations, engine, control } = rack
  for (const app of apps) {
    await operations.createApp(app)
    await rack.deploy(app, compose)
  }
  await operations.createService({ name: 'main', type: 'postgres' }, control)
  const link = (app: string, more: object = {}) =>
    operations.createLink(app, { service: 'main', alias: 'db', ...more }, control)
  const promote = async (app: string, release: string) =>
    await operations.promoteRelease(app, release, { releaseCommand: true }, control)
  const server = () => engine.world.servers.get('_main')!
  const logins = () => [...server().logins.keys()].sort()
  const urls = (app: string) =>
    engine.livePlan(app)!.processes.map(({ type, environment }) => [type, environment['DB_PATH'] ?? null])
  return { ...rack, link, promote, server, logins, urls }
}

test('a link of some processes gives no other its variables, and is so until it is said anew', async () => {
  await using world = await openWorld('shop')
  const { operations, link, promote, control } = world
  await assert.rejects(
    link('shop', { processes: ['wb'] }),
    fails('not-found', /no process "wb": did you mean "web"/),
  )
  const { release, notes } = await link('shop', { processes: ['web'] })
  assert.ok(notes.includes('worker links or depends on db too, and is not among those that have the link'))
  assert.deepEqual(release.links[0]?.processes, ['web'])
  const plan = await operations.planPromotion('shop', release.id, control)
  assert.deepEqual([plan.replaced.includes('web'), plan.stopped, plan.removed], [true, [], ['db']])
  await promote('shop', release.id)
  assert.deepEqual(world.urls('shop'), [
    ['web', '/shop_db'],
    ['worker', null],
  ])
  // What is not said again stays; what is said anew is another release.
  assert.equal((await link('shop')).isNew, false)
  const wider = await link('shop', { processes: ['worker', 'web'] })
  assert.deepEqual([wider.isNew, wider.release.links[0]?.processes], [true, ['web', 'worker']])
  const rotated = await operations.rotateLink('shop', 'db', control)
  assert.deepEqual(rotated.release.links[0]?.processes, ['web', 'worker'])
})

test('apps meet in one database by logins of their own; a rollback finds it again', async () => {
  await using world = await openWorld('shop', 'blog')
  const { operations, link, promote, logins, server, control } = world
  for (const database of ['Shared', 'a_b', 'postgres', 'x'.repeat(32)])
    await assert.rejects(
      link('shop', { database }),
      fails('invalid', /cannot be the name of a shared database/),
    )
  await assert.rejects(link('shop', { keyPrefix: 'shop:' }), fails('conflict', /knows no prefix of keys/))
  const shared = await link('shop', { database: 'shared' })
  await promote('shop', shared.release.id)
  await promote('blog', (await link('blog', { database: 'shared' })).release.id)
  assert.deepEqual(
    [world.urls('shop')[0], world.urls('blog')[0]],
    [
      ['web', '/shared'],
      ['web', '/shared'],
    ],
  )
  assert.deepEqual([[...server().data], logins()], [['shared'], ['blog_db_v1', 'shop_db_v1']])

  const rotated = await operations.rotateLink('shop', 'db', control)
  await promote('shop', rotated.release.id)
  assert.deepEqual(world.urls('shop')[0], ['web', '/shared'])
  const bare = await operations.deleteLink('shop', 'db')
  await promote('shop', bare.release.id)
  await operations.revokeLogins('shop', 'db', control)
  assert.deepEqual(logins(), ['blog_db_v1'])
  await operations.rollbackRelease('shop', shared.release.id, { releaseCommand: true }, control)
  assert.deepEqual(world.urls('shop')[0], ['web', '/shared'])
})

test('a login is ended at once where it is wanted, and never that of what is live', async () => {
  await using world = await openWorld('shop')
  const { operations, link, promote, logins, control } = world
  await promote('shop', (await link('shop')).release.id)
  const unlinked = await operations.deleteLink('shop', 'db')
  assert.deepEqual(await operations.revokeLogins('shop', 'db', control), { revoked: 0 })
  assert.deepEqual(logins(), ['shop_db_v1'])
  await promote('shop', unlinked.release.id)
  await operations.revokeLogins('shop', unlinked.alias, control)
  assert.deepEqual(logins(), [])
  assert.deepEqual(await operations.revokeLogins('shop', 'db', control), { revoked: 0 })
  await assert.rejects(operations.revokeLogins('none', 'db', control), fails('not-found', /no app "none"/))
})

test('what a link has left is dropped by its name alone, and never while one has it', async () => {
  await using world = await openWorld('shop')
  const { operations, link, promote, server, control } = world
  await promote('shop', (await link('shop')).release.id)
  const drop = (data: string, service = 'main') => operations.dropServiceData(service, data, control)
  await assert.rejects(drop('shop_db'), fails('conflict', /in use by shop \(as db\)[\s\S]*End the links/))
  await promote('shop', (await operations.deleteLink('shop', 'db')).release.id)
  await assert.rejects(drop('other'), fails('not-found', /no data "other"\nIt has: shop_db/))
  await drop('shop_db')
  assert.deepEqual([...server().data], [])
  await operations.createService({ name: 'any', type: 'image', image: 'server', port: 1 }, control)
  await assert.rejects(drop('x', 'any'), fails('unsupported', /no databases of its links/))
})
