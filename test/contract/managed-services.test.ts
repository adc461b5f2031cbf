import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { awsFeatures } from '../../src/domain/aws-features.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import { until } from '../../src/lib/poll.ts'
import type { Context } from '../../src/operations/context.ts'
import { revokeBehind } from '../../src/operations/services/logins.ts'
import { startMemoryRack } from '../support/memory-rack.ts'

const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code
const asked = { name: 'main', type: 'postgres', managed: true }

async function startRack() {
  const rack = await startMemoryRack()
  rack.engine.features = { ...rack.engine.features, managedServices: ['postgres'] }
  return rack
}

test('one that nobody runs for the rack is refused before anything is touched, and says what is run', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store } = rack
  await assert.rejects(operations.createService(asked, control), /this rack runs all services itself/)
  rack.engine.features = { ...rack.engine.features, managedServices: ['postgres'] }
  const redis = { ...asked, type: 'redis' }
  await assert.rejects(operations.createService(redis, control), /by its account: postgres/)
  const image = { ...asked, type: 'image', image: 'server', port: 9000 }
  await assert.rejects(operations.createService(image, control), fails('unsupported'))
  const url = { ...asked, type: 'url', url: 'postgres://db.example.com/shop' }
  await assert.rejects(operations.createService(url, control), fails('unsupported'))
  const old = { ...redis, version: '6.2' }
  rack.engine.features = { ...rack.engine.features, managedServices: ['redis'] }
  await assert.rejects(
    operations.createService(old, control),
    /the account runs no redis of the version 6\.2 for a rack/,
  )
  assert.deepEqual(await store.services.list(), [])
})

test('a second deletion joins the first, and is told the same', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store } = rack
  await operations.createService(asked, control)
  const deprovision = engine.deprovision.bind(engine)
  const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let signal: AbortSignal | null = null
  engine.deprovision = async (name, own) => {
    engine.deprovision = async () => 'last-of-main'
    signal = own.signal
    begun.resolve()
    await mayEnd.promise
    return await deprovision(name, own)
  }
  const first = operations.deleteService('main', { volumes: false }, control)
  await begun.promise
  const hasLooked = Promise.withResolvers<void>()
  const run = store.services.run.bind(store.services)
  store.services.run = async (name) => {
    hasLooked.resolve()
    return await run(name)
  }
  const second = operations.deleteService('main', { volumes: true }, control)
  await hasLooked.promise
  // One round through the store more, by which an end would have come.
  await operations.listServices(control)
  assert.equal(signal!.aborted, false)
  mayEnd.resolve()
  assert.deepEqual(await Promise.all([first, second]), [
    { snapshot: 'last-of-main' },
    { snapshot: 'last-of-main' },
  ])
})

test('what a dead daemon had begun is taken away beside the recovery, which waits for none of it', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store } = rack
  await operations.createService(asked, control)
  await store.services.change('main', { status: 'creating' })
  const mayEnd = Promise.withResolvers<void>()
  const deprovision = engine.deprovision.bind(engine)
  engine.deprovision = async (name, own) => {
    await mayEnd.promise
    return await deprovision(name, own)
  }
  const room = await rack.restart()
  assert.ok(await room.recover(control))
  assert.deepEqual([...engine.world.managed.keys()], ['main'])
  mayEnd.resolve()
  const isGone = async () => (await store.services.list()).length === 0
  await until(isGone, { deadlineMs: 20_000, intervalMs: 5, what: 'the service to be gone' })
  assert.deepEqual([...engine.world.managed.keys()], [])
})

test('it is asked for once, by what it was asked for; its client alone takes room here', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store } = rack
  await operations.createService({ ...asked, cpuUnits: 2048, memoryBytes: 2 ** 40 }, control)
  const { kind, version, cpuUnits, memoryBytes, password } = engine.world.managed.get('main')!
  assert.deepEqual([kind, version, cpuUnits, memoryBytes], ['postgres', '15', 2048, 2 ** 40])
  const run = (await store.services.run('main'))!
  assert.deepEqual([run.managed?.host, run.managed?.password], ['main.cloud', password])
  assert.deepEqual(run.environment['PGHOST'], 'main.cloud')
  const { holders } = await operations.getCapacity(control)
  assert.deepEqual(
    holders.map(({ each }) => each.memoryBytes),
    [256 * 2 ** 20],
  )
  assert.deepEqual(await engine.volumes({}, control), [])
})

test('where volumes are on no disk, a service from an image is said to be slow, and what else there is', async () => {
  await using rack = await startRack()
  const { operations, control, engine, progress } = rack
  engine.features = { ...engine.features, diskVolumes: awsFeatures.diskVolumes }
  const told = () => progress.flatMap((each) => (each.type === 'log' ? each.text : []))
  await operations.createService({ name: 'here', type: 'postgres' }, control)
  assert.ok(told().some((text) => text.endsWith('slow for databases; --managed has the account run it')))
  const before = told().length
  await operations.createService(asked, control)
  assert.ok(
    !told()
      .slice(before)
      .some((text) => text.includes('slow for databases')),
  )
})

test('the account restarts it, where that does not empty it; who asks is told that connections are cut', async () => {
  await using rack = await startRack()
  const { operations, control, engine, progress, store } = rack
  await operations.createService(asked, control)
  const before = await engine.processes({ all: true }, control)
  await operations.restartService('main', control)
  assert.deepEqual(engine.world.reboots, ['main'])
  assert.deepEqual(await engine.processes({ all: true }, control), before)
  const told = progress.flatMap((each) => (each.type === 'log' ? each.text : []))
  assert.match(told.at(-1)!, /restarts the server of main: all connections are cut/)
  const run = (await store.services.run('main'))!
  for (const type of ['redis', 'valkey', 'memcached']) {
    await store.services.create({ name: type, type, status: 'running', run }, imageAddress(type, run))
    await assert.rejects(operations.restartService(type, control), /reboot .*takes away all that is in it/)
  }
  assert.deepEqual(engine.world.reboots, ['main'])
})

test('the account brings it to a newer version, and its client follows; to an older one it does not', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store, progress } = rack
  await operations.createService(asked, control)
  const newer = { version: '17' }
  const planned = await operations.planServiceUpdate('main', newer, control)
  assert.deepEqual([planned.kind, planned.image], ['version', 'postgres:17'])
  assert.match(planned.says ?? '', /takes a snapshot before, and no version back/)
  const provision = engine.provision.bind(engine)
  engine.provision = async () => {
    throw new RackError('timeout', 'it takes longer')
  }
  await assert.rejects(
    operations.updateService('main', { ...newer, pauseMs: 1000 }, control),
    fails('timeout'),
  )
  // Nobody knows which of both it is: what was asked for is seen through, or given up.
  for (const version of ['17', '15', '16'])
    assert.equal((await operations.planServiceUpdate('main', { version }, control)).kind, 'version')
  engine.provision = provision
  const { service } = await operations.updateService('main', { ...newer, pauseMs: 1000 }, control)
  assert.equal(service.run?.image, 'postgres:17')
  const managed = (await store.services.run('main'))!.managed!
  assert.deepEqual(
    [managed.version, managed.was, engine.world.managed.get('main')!.version],
    ['17', undefined, '17'],
  )
  assert.equal((await engine.processes({ all: true }, control)).length, 1)
  const told = progress.flatMap((each) => (each.type === 'log' ? each.text : []))
  assert.ok(
    told.some((text) =>
      /changes main; that takes ten minutes or more, in which nobody may reach it/.test(text),
    ),
  )
  const refused: [version: string, why: RegExp][] = [
    ['16', /main is of version 17, and the account takes none back/],
    ['18.2', /RDS brings main to newer versions of a series by itself/],
  ]
  for (const [version, why] of refused)
    await assert.rejects(operations.planServiceUpdate('main', { version }, control), why)
  assert.equal((await operations.planServiceUpdate('main', newer, control)).kind, 'nothing')
})

test('what is done in the account is not done here, but that it gets another size', async () => {
  await using rack = await startRack()
  const { operations, control, engine } = rack
  await operations.createService(asked, control)
  await assert.rejects(operations.planServiceUpdate('main', { image: 'x' }, control), fails('unsupported'))
  const larger = { memoryBytes: 2 ** 32 }
  const planned = await operations.planServiceUpdate('main', larger, control)
  assert.deepEqual([planned.kind, planned.memoryBytes], ['machine', 2 ** 32])
  await operations.updateService('main', { ...larger, pauseMs: 1000 }, control)
  assert.equal(engine.world.managed.get('main')!.memoryBytes, 2 ** 32)
  assert.equal((await operations.planServiceUpdate('main', larger, control)).kind, 'nothing')
  const { snapshot } = await operations.deleteService('main', { volumes: false }, control)
  assert.equal(snapshot, 'last-of-main')
  assert.deepEqual(await operations.listServices(control), [])
})

test('a size that somebody gives up waiting for stays asked for; one that the account takes back is no more', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store } = rack
  await operations.createService(asked, control)
  const before = (await store.services.run('main'))!.managed!
  const managed = async () => (await store.services.run('main'))!.managed!
  const larger = { memoryBytes: 2 ** 32 }
  const provision = engine.provision.bind(engine)
  const failWith = (failure: RackError) => {
    engine.provision = async () => {
      throw failure
    }
  }
  const update = async (memoryBytes: number) =>
    await operations.updateService('main', { memoryBytes, pauseMs: 1000 }, control)
  failWith(new RackError('engine-failed', 'rolled back', { details: { isUnchanged: true } }))
  await assert.rejects(update(2 ** 32), /rolled back/)
  assert.deepEqual(await managed(), before)

  failWith(new RackError('timeout', 'it takes longer'))
  await assert.rejects(update(2 ** 32), /it takes longer/)
  const was = { version: '15', cpuUnits: before.cpuUnits, memoryBytes: before.memoryBytes }
  assert.deepEqual(await managed(), { ...before, ...larger, was })
  assert.equal((await operations.planServiceUpdate('main', larger, control)).kind, 'machine')
  // Another one that comes to nothing leaves what is asked for; the same one takes it back.
  failWith(new RackError('conflict', 'not so'))
  await assert.rejects(update(2 ** 33), /not so/)
  assert.deepEqual(await managed(), { ...before, ...larger, was })
  await assert.rejects(update(2 ** 32), /not so/)
  assert.deepEqual(await managed(), before)
  engine.provision = provision
  await update(2 ** 32)
  assert.deepEqual(await managed(), { ...before, ...larger })
  assert.equal(engine.world.managed.get('main')!.isThere, true)
})

const isGone =
  ({ store }: Awaited<ReturnType<typeof startRack>>) =>
  async () =>
    (await store.services.list()).length === 0

test('who gives up while the account makes one is told that it is taken away, and waits for none of it', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store, progress } = rack
  const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const [provision, deprovision] = [engine.provision.bind(engine), engine.deprovision.bind(engine)]
  engine.provision = async (managed, own) => {
    await provision(managed, own)
    begun.resolve()
    await once(own.signal, 'abort')
    throw new RackError('cancelled', 'it was ended')
  }
  engine.deprovision = async (service, own) => {
    await mayEnd.promise
    return await deprovision(service, own)
  }
  const making = operations.createService(asked, control)
  await begun.promise
  const deleting = operations.deleteService('main', { volumes: false }, control)
  await assert.rejects(making, fails('cancelled'))
  const told = progress.flatMap((each) => (each.type === 'log' ? each.text : []))
  assert.match(told.at(-1)!, /takes main away by itself/)
  assert.deepEqual(
    (await store.services.list()).map(({ status }) => status),
    ['deleting'],
  )
  assert.deepEqual([...engine.world.managed.keys()], ['main'])
  mayEnd.resolve()
  await deleting
  assert.ok(await isGone(rack)())
  assert.deepEqual([...engine.world.managed.keys()], [])
})

test('one that cannot be made is taken back, and its name is free', async () => {
  await using rack = await startRack()
  const { operations, control, engine } = rack
  const provision = engine.provision.bind(engine)
  engine.provision = async (managed, own) => {
    await provision(managed, own)
    throw new RackError('engine-failed', 'the account says no')
  }
  await assert.rejects(operations.createService(asked, control), /the account says no/)
  await until(isGone(rack), { deadlineMs: 20_000, intervalMs: 5, what: 'the service to be gone' })
  assert.deepEqual([...engine.world.managed.keys()], [])
  engine.provision = provision
  await operations.createService(asked, control)
  assert.deepEqual([...engine.world.managed.keys()], ['main'])
})

test('whom the account fails to let in is forgotten, and whom it fails to keep out is tried again in half an hour', async () => {
  await using rack = await startRack()
  const { operations, control, engine, store } = rack
  await operations.createService(asked, control)
  const run = (await store.services.run('main'))!
  const row = { name: 'cache', type: 'redis', status: 'running' as const, run }
  await store.services.create(row, imageAddress('cache', run))
  await operations.createApp('shop')
  await rack.deploy('shop', 'services: { web: { image: "web:1", command: sleep 86400 } }')
  const provision = engine.provision.bind(engine)
  let tries = 0
  const failWith = (details: object) => {
    engine.provision = async () => {
      tries += 1
      throw new RackError('engine-failed', 'the stack fails', { details })
    }
  }
  const logins = async () =>
    (await store.services.versions('cache')).flatMap(({ login }) => login?.username ?? [])
  const link = async () => await operations.createLink('shop', { service: 'cache', alias: 'db' }, control)
  failWith({ isUnchanged: true })
  await assert.rejects(link(), /the stack fails/)
  assert.deepEqual(await logins(), [])
  failWith({})
  await assert.rejects(link(), /the stack fails/)
  // The account may have let it in.
  assert.deepEqual(await logins(), ['shop_db_v1'])

  let nowMs = Date.now()
  const context = {
    store,
    engine,
    resting: new Map<string, number>(),
    turns: { run: async <T>(_key: string, _signal: AbortSignal, task: () => Promise<T>) => await task() },
    running: { isInterrupted: () => false },
    now: () => new Date(nowMs),
    log: () => undefined,
  } as unknown as Context
  const halfAnHour = 30 * 60_000
  tries = 0
  for (const [laterMs, count] of [
    [0, 1],
    [halfAnHour - 1, 1],
    [1, 2],
    [1000, 2],
  ] as const) {
    nowMs += laterMs
    await revokeBehind(context, control)
    assert.equal(tries, count)
  }
  engine.provision = provision
  engine.features = { ...engine.features, managedServices: ['postgres', 'redis'] }
  nowMs += halfAnHour
  await revokeBehind(context, control)
  assert.deepEqual(await logins(), [])
})
