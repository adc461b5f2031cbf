import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import type { Owner } from '../../src/domain/owner.ts'
import type { ServiceStatus } from '../../src/domain/service.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'
import { serviceRun } from '../support/service-run.ts'

const owner: Owner = { kind: 'service', name: 'main' }
const asked = { name: 'main', type: 'image', image: 'server', port: 9000 }
const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code

const running = async ({ engine, control }: MemoryRack) => await engine.processes({ owner }, control)
const volumes = async ({ engine, control }: MemoryRack) => await engine.volumes({ owner }, control)

const run = serviceRun()

/** A rack whose daemon has written down what it was about to do with a service, and done some of it. */
async function interrupted(status: ServiceStatus) {
  const rack = await startMemoryRack()
  await rack.store.services.create(
    { name: 'main', type: 'image', status: 'running', run },
    imageAddress('main', run),
  )
  assert.ok(await rack.room.recover(rack.control))
  if (status === 'kept') await rack.engine.remove(owner, { volumes: false }, rack.control)
  await rack.store.services.change('main', { status })
  return rack
}

const outcomes: Record<ServiceStatus, { runs: number; data: number; status: ServiceStatus | null }> = {
  running: { runs: 1, data: 1, status: 'running' },
  creating: { runs: 0, data: 0, status: null },
  returning: { runs: 0, data: 1, status: 'kept' },
  retiring: { runs: 0, data: 1, status: 'kept' },
  kept: { runs: 0, data: 1, status: 'kept' },
  deleting: { runs: 0, data: 0, status: null },
}
for (const [status, outcome] of Object.entries(outcomes) as [ServiceStatus, (typeof outcomes)['kept']][]) {
  test(`a service that a dead daemon has left as ${status} is brought to one end or the other`, async () => {
    await using rack = await interrupted(status)
    const room = await rack.restart()
    assert.ok(await room.recover(rack.control))
    const found = await rack.store.services.get('main')
    assert.deepEqual(
      {
        runs: (await running(rack)).length,
        data: (await volumes(rack)).length,
        status: found?.status ?? null,
      },
      outcome,
    )
  })
}

test('a service whose copy was taken away is brought back, beside its data', async () => {
  await using rack = await interrupted('running')
  const ending = new AbortController()
  const keeping = rack.room.keepHealed({ ...rack.control, signal: ending.signal })
  await rack.engine.remove(owner, { volumes: false }, rack.control)
  const isBack = async () => (await running(rack)).length === 1
  await until(isBack, { deadlineMs: 20_000, what: 'the service to be back' })
  ending.abort()
  await keeping
  const [main] = await rack.operations.listServices(rack.control)
  assert.deepEqual([main?.status, main?.run?.volumes], ['running', 1])
})

test('a link to a service that is being created waits for it, and for no other', async () => {
  await using rack = await interrupted('creating')
  const { operations, store, control } = rack
  await operations.createApp('shop')
  let isMade = false
  const linking = operations.createLink('shop', { service: 'main' }, control).finally(() => (isMade = true))
  await operations.listServices(control)
  assert.equal(isMade, false)
  await store.services.change('main', { status: 'running' })
  assert.deepEqual(
    (await linking).release.links.map(({ service }) => service),
    ['main'],
  )
  await operations.deleteLink('shop', 'main')
  await store.services.change('main', { status: 'creating' })
  const leaving = operations.createLink('shop', { service: 'main' }, control)
  await store.services.remove('main')
  await assert.rejects(leaving, fails('not-found'))
})

test('a service is deleted but for its data, or with it; a sweep keeps what is kept', async () => {
  await using rack = await interrupted('running')
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.build('shop', 'services:\n  web: { image: shop, command: sleep }\n')
  await operations.restartService('main', control)
  await assert.rejects(operations.revealService('main'), fails('conflict'))
  await assert.rejects(operations.setServiceUrl('main', { url: 'tcp://a:1' }, control), fails('conflict'))
  await operations.deleteService('main', { volumes: false }, control)
  await operations.prune({ buildCache: false, volumes: true }, control)
  assert.deepEqual([(await running(rack)).length, (await volumes(rack)).length], [0, 1])
  await assert.rejects(operations.createLink('shop', { service: 'main' }, control), fails('conflict'))
  await assert.rejects(operations.createService({ ...asked, name: 'main' }, control), fails('exists'))
  await operations.deleteService('main', { volumes: true }, control)
  assert.deepEqual([await volumes(rack), await operations.listServices(control)], [[], []])
})

test('what cannot be pulled or placed, or does not answer, leaves nothing behind', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  const create = (more: object) => operations.createService({ ...asked, ...more }, control)
  await assert.rejects(create({ image: 'missing' }), fails('image-unavailable'))
  await assert.rejects(create({ memoryBytes: 2 ** 50 }), fails('capacity'))
  await assert.rejects(create({ image: undefined }), fails('invalid'))
  await assert.rejects(create({ port: undefined }), fails('invalid'))
  await assert.rejects(create({ name: 'No' }), fails('invalid'))
  await assert.rejects(create({ type: 'postgres' }), fails('invalid'))
  await assert.rejects(create({ url: 'tcp://a:1' }), fails('invalid'))
  assert.deepEqual(await operations.listServices(control), [])
  assert.deepEqual([await running(rack), await volumes(rack)], [[], []])
  const { holders } = await operations.getCapacity(control)
  assert.deepEqual(holders, [])
})
