import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control } from '../../src/domain/control.ts'
import { RackError } from '../../src/domain/error.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

const compose = 'services:\n  web: { image: shop, command: serve }\n'
const main = { name: 'main', type: 'postgres' }
const patience = { deadlineMs: 60_000 }

async function openShop() {
  const rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  await rack.deploy('shop', compose)
  const logins = () => [...(rack.engine.world.servers.get('_main')?.logins.keys() ?? [])].sort()
  const promote = (release: string) =>
    rack.operations.promoteRelease('shop', release, { releaseCommand: true }, rack.control)
  return { ...rack, logins, promote }
}

/** Holds a call of the engine until it is let go; says when it has come so far. */
function hold(engine: MemoryRack['engine'], name: 'deploy' | 'exec') {
  const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const real = engine[name].bind(engine) as (...args: unknown[]) => Promise<unknown>
  Object.assign(engine, {
    [name]: async (...args: unknown[]) => {
      reached.resolve()
      await abortable(go.promise, (args.at(-1) as Control).signal)
      return await real(...args)
    },
  })
  return { reached: reached.promise, letGo: () => (Object.assign(engine, { [name]: real }), go.resolve()) }
}

test('a link that is made twice at once is one, with one login; another beside it has its own', async () => {
  await using rack = await openShop()
  const { operations, store, control, logins } = rack
  await operations.createService(main, control)
  const before = (await store.releases.list('shop', 100)).length
  const link = (alias: string) => operations.createLink('shop', { service: 'main', alias }, control)
  const made = await Promise.all([link('db'), link('db'), link('store')])
  const newest = await store.releases.newest('shop')
  assert.deepEqual(
    newest?.links.map(({ alias }) => alias),
    ['db', 'store'],
  )
  const versions = made.map(
    ({ alias, release }) => release.links.find((each) => each.alias === alias)?.version,
  )
  assert.equal(versions[0], versions[1])
  assert.notEqual(versions[0], versions[2])
  assert.equal((await store.releases.list('shop', 100)).length, before + 2)
  assert.deepEqual(logins(), ['shop_db_v1', 'shop_store_v1'])
})

test('a login is revoked at once whatever is done to services that do not concern it', async () => {
  await using rack = await openShop()
  const { operations, engine, control, logins } = rack
  await operations.createService(main, control)
  await operations.createService({ name: 'another', type: 'postgres' }, control)
  await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await operations.deleteLink('shop', 'db')
  const { reached, letGo } = hold(engine, 'deploy')
  const restarting = operations.restartService('another', control)
  await reached
  assert.deepEqual(await operations.revokeLogins('shop', 'db', control), { revoked: 1 })
  await operations.dropServiceData('main', 'shop_db', control)
  assert.deepEqual(logins(), [])
  letGo()
  await restarting
})

test('an unlink while a deploy runs takes nothing from what becomes live; the next promote does', async () => {
  await using rack = await openShop()
  const { operations, engine, control, logins, promote } = rack
  await operations.createService(main, control)
  const linked = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  const deploy = hold(engine, 'deploy')
  const promoting = promote(linked.release.id)
  await deploy.reached
  const unlinked = await operations.deleteLink('shop', 'db')
  assert.deepEqual(await operations.revokeLogins('shop', 'db', control), { revoked: 0 })
  deploy.letGo()
  await promoting
  assert.deepEqual(await operations.revokeLogins('shop', 'db', control), { revoked: 0 }, 'it is live')
  assert.deepEqual(logins(), ['shop_db_v1'])
  await promote(unlinked.release.id)
  await until(async () => logins().length === 0, { ...patience, what: 'the login to be revoked' })
})

test('a link to a service that comes waits for its login too, and who leaves ends the wait', async () => {
  await using rack = await openShop()
  const { operations, engine, control, store, logins } = rack
  const exec = hold(engine, 'exec')
  const creating = operations.createService(main, control)
  await exec.reached
  const leaving = new AbortController()
  const left = operations.createLink('shop', { service: 'main' }, { ...control, signal: leaving.signal })
  const linking = operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  leaving.abort(new RackError('cancelled', 'nobody waits'))
  await assert.rejects(left, /nobody waits/)
  assert.equal((await store.services.get('main'))?.status, 'creating')
  exec.letGo()
  await creating
  await linking
  assert.deepEqual(logins(), ['shop_db_v1'])
})

test('a creation that is ended leaves nothing: no service, no process, no data, no room', async () => {
  await using rack = await openShop()
  const { operations, engine, control, store } = rack
  const owner = { kind: 'service', name: 'main' } as const
  const exec = hold(engine, 'exec')
  const creating = operations.createService(main, control)
  const failed = assert.rejects(creating, /the service main is wanted no more/)
  await exec.reached
  await Promise.all([failed, operations.deleteService('main', { volumes: false }, control)])
  exec.letGo()
  assert.equal(await store.services.get('main'), null)
  assert.deepEqual(await engine.processes({ owner, all: true }, control), [])
  assert.deepEqual(await engine.volumes({ owner }, control), [])
  const { holders } = await operations.getCapacity(control)
  assert.deepEqual(
    holders.map(({ app }) => app),
    ['shop'],
  )
  await operations.createService(main, control)
})
