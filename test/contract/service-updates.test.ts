import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asBefore, fails, startDataRack } from '../support/data-rack.ts'

const version = '8'
const upgrade = { version, pauseMs: 60_000 }

/** What is in the service, by what its server is asked for. */
const well = async (command: string) => (command.includes('keyspace') ? 'db0\t3' : 'all keys')

test('an upgrade fills a new volume, and keeps the old one until it is finished or undone', async () => {
  await using rack = await startDataRack()
  const { control, store } = rack
  await rack.operations().createLink('shop', { service: 'main' }, control)
  rack.inside(well)
  const planned = await rack.operations().planServiceUpdate('main', { version }, control)
  assert.deepEqual([planned.kind, planned.image], ['upgrade', 'redis:8'])
  assert.deepEqual(await rack.state(), asBefore)

  const done = await rack.operations().updateService('main', upgrade, control)
  assert.ok(done.pausedMs !== null && done.backup !== null)
  assert.deepEqual([done.service.run?.image, done.service.run?.kept], ['redis:8', 'redis:7'])
  const both = { volumes: ['data', 'data.2'], kinds: ['process'], generation: 2 }
  assert.deepEqual(await rack.state(), both)
  const [backup] = await rack.operations().listBackups('main')
  assert.deepEqual([backup?.reason, backup?.version], ['upgrade', '7'])
  // The next one waits for the end of this one.
  const third = rack.operations().updateService('main', { ...upgrade, version: '9' }, control)
  await assert.rejects(third, fails('conflict'))
  await rack.restart()
  assert.deepEqual(await rack.state(), both)

  const back = await rack.operations().finishServiceUpdate('main', { undo: true }, control)
  assert.deepEqual([back.run?.image, back.run?.kept], ['redis:7', null])
  assert.deepEqual(await rack.state(), asBefore)
  await rack.operations().updateService('main', upgrade, control)
  const ended = await rack.operations().finishServiceUpdate('main', { undo: false }, control)
  assert.deepEqual([ended.run?.image, ended.run?.kept], ['redis:8', null])
  assert.deepEqual((await rack.state()).volumes, ['data.2'])
  const again = rack.operations().finishServiceUpdate('main', { undo: false }, control)
  await assert.rejects(again, fails('conflict'))
  assert.equal((await store.services.run('main'))?.previous, undefined)
})

test('an upgrade that fails, takes too long, or is ended, leaves the service as it was', async () => {
  await using rack = await startDataRack()
  const { control } = rack
  const update = (more = {}) => rack.operations().updateService('main', { ...upgrade, ...more }, control)
  const isAsBefore = async () => {
    assert.deepEqual(await rack.state(), asBefore)
    assert.deepEqual(await rack.operations().listBackups('main'), [])
    assert.equal((await rack.store.services.run('main'))?.image, 'redis:7')
  }

  await assert.rejects(update({ version: '6' }), fails('invalid'))
  await assert.rejects(update({ image: 'other' }), fails('invalid'))
  await assert.rejects(update({ memoryBytes: 2 ** 50 }), fails('capacity'))
  await isAsBefore()
  // What is counted after is less than before.
  let counts = 3
  rack.inside(async (command) => (command.includes('keyspace') ? `db0\t${counts--}` : 'all keys'))
  await assert.rejects(update(), { code: 'service-failed', message: /not what was there: db0/ })
  await isAsBefore()
  rack.inside(async (command) => (command.includes('--rdb') ? null : 'all keys'))
  await assert.rejects(update(), fails('service-failed'))
  await isAsBefore()

  // Its data cannot be had, until somebody ends it.
  const begun = Promise.withResolvers<void>()
  const hangs = async (command: string, _input: string, signal: AbortSignal) => {
    if (!command.includes('--rdb')) return 'all keys'
    begun.resolve()
    const { promise, reject } = Promise.withResolvers<string>()
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    return await promise
  }
  rack.inside(hangs)
  await assert.rejects(update({ pauseMs: 500 }), fails('timeout'))
  await isAsBefore()
  const cancelled = update()
  cancelled.catch(() => undefined)
  await begun.promise
  await rack.operations().cancelService('main', control)
  await assert.rejects(cancelled, fails('cancelled'))
  await isAsBefore()
})

test('a daemon that dies in an upgrade is followed by one that has the service as it was', async () => {
  await using rack = await startDataRack()
  const { control } = rack
  const begun = Promise.withResolvers<void>()
  rack.inside(async (command, _input, signal) => {
    if (!command.includes('--rdb')) return 'all keys'
    begun.resolve()
    const { promise, reject } = Promise.withResolvers<string>()
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    return await promise
  })
  const dead = rack.operations().updateService('main', upgrade, control)
  dead.catch(() => undefined)
  await begun.promise
  // Nobody reaches it: what it was is stopped, and two servers have its volumes.
  assert.deepEqual(await rack.state(), {
    ...asBefore,
    volumes: ['data', 'data.2'],
    kinds: ['one-off', 'one-off'],
  })
  await rack.restart()
  assert.deepEqual(await rack.state(), asBefore)
  await assert.rejects(dead)
})

test('memory and CPU want a restart on the same data; what is so already wants nothing', async () => {
  await using rack = await startDataRack()
  const { control } = rack
  const change = { memoryBytes: 128 * 2 ** 20, cpuUnits: 256 }
  const planned = await rack.operations().planServiceUpdate('main', change, control)
  assert.deepEqual([planned.kind, planned.image], ['restart', 'redis:7'])
  const done = await rack.operations().updateService('main', { ...change, pauseMs: 1000 }, control)
  assert.deepEqual([done.service.run?.memoryBytes, done.service.run?.cpuUnits], [128 * 2 ** 20, 256])
  assert.deepEqual(await rack.state(), asBefore)
  const again = await rack.operations().updateService('main', { ...change, pauseMs: 1000 }, control)
  assert.equal(again.pausedMs, null)
  // Another build of the same version has the same files.
  const patch = await rack.operations().planServiceUpdate('main', { version: '7.2-alpine' }, control)
  assert.equal(patch.kind, 'restart')
})
