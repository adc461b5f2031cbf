import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RackError } from '../../src/domain/error.ts'
import { isSameOwner } from '../../src/domain/owner.ts'
import { startMemoryRack } from '../support/memory-rack.ts'

const compose = (command: string) => `services:\n  web: { image: shop, command: "${command}" }\n`
const owner = { kind: 'service', name: 'main' } as const

/** An app that is linked to a database that runs here. */
async function openLinked() {
  const rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', compose('serve'))
  await operations.createService({ name: 'main', type: 'postgres' }, control)
  const { release } = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await operations.promoteRelease('shop', release.id, { releaseCommand: true }, control)
  return rack
}

test('a service tells its size, its clients and what data it has, that too which a link has left', async () => {
  await using rack = await openLinked()
  const { operations, engine, control } = rack
  engine.world.servers.get('_main')!.data.add('old_db')
  const { inside, backedUp } = await operations.getService('main', control)
  assert.deepEqual(
    [inside, backedUp],
    [
      {
        bytes: 12 * 1024,
        connections: 3,
        data: [
          { name: 'old_db', links: [] },
          { name: 'shop_db', links: ['shop (as db)'] },
        ],
      },
      null,
    ],
  )
  const [listed] = await operations.listServices(control)
  assert.equal(listed?.inside, null, 'a list asks none')
})

test('a deploy that fails says which service that it is linked to does not serve', async () => {
  await using rack = await openLinked()
  const { operations, engine } = rack
  await operations.createService({ name: 'well', type: 'postgres' }, rack.control)
  await operations.createLink('shop', { service: 'well' }, rack.control)
  const failing = () =>
    rack.deploy('shop', compose('exit 1')).then(
      () => assert.fail('it went live'),
      (error: unknown) => error as RackError,
    )
  const alone = await failing()
  assert.equal(alone.code, 'deploy-failed')
  assert.doesNotMatch(alone.message, /main/)
  const processes = engine.processes.bind(engine)
  engine.processes = async (filter, own) =>
    (await processes(filter, own)).map((copy) =>
      isSameOwner(copy.owner, owner) ? { ...copy, detail: 'running, crashed (137, OOM) ×2' } : copy,
    )
  const killed = await failing()
  assert.match(
    killed.message,
    /main, to which it is linked, was killed for want of memory: running, crashed \(137/,
  )
  assert.match(killed.hint ?? '', /rack services logs main$/)
  engine.processes = processes
  await engine.remove(owner, { volumes: false }, rack.control)
  assert.match((await failing()).message, /main, to which it is linked, does not run/)
})

test('what becomes of a service is told with other events, to who may see it', async () => {
  await using rack = await startMemoryRack()
  const { operations, store, room, control } = rack
  await operations.createService({ name: 'main', type: 'postgres' }, control)
  await operations.deleteService('main', { volumes: false }, control)
  await operations.deleteService('main', { volumes: true }, control)
  const events = await store.events.after(0, 100)
  const told = events.map(({ noun, change, app, id, facts }) => [noun, change, app, id, facts['status']])
  assert.deepEqual(told, [
    ['service', 'created', '', 'main', 'creating'],
    ['service', 'changed', '', 'main', 'running'],
    ['service', 'changed', '', 'main', 'retiring'],
    ['service', 'changed', '', 'main', 'kept'],
    ['service', 'changed', '', 'main', 'deleting'],
    ['service', 'removed', '', 'main', undefined],
  ])
  const ending = new AbortController()
  const scoped = room.operations.as({ name: 'of-shop', role: 'read', apps: ['shop'] })
  const seen: string[] = []
  for await (const record of scoped.watchEvents(0, { ...control, signal: ending.signal })) {
    seen.push(record.type === 'event' ? record.noun : record.type)
    if (record.type === 'start') await rack.operations.createApp('shop')
    if (record.type === 'event') break
  }
  assert.deepEqual(seen, ['start', 'app'])
})
