import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code

const shop = (mounts: string, more = '') =>
  `services:\n  db: { image: shop, volumes: [${mounts}] ${more} }\nvolumes: { data: {}, cache: {} }\n`

const remove = ({ operations, control }: MemoryRack, name: string) =>
  operations.deleteVolume('shop', name, control)

test('volumes say which types of the live release mount them', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  assert.deepEqual(await operations.listVolumes({ app: 'shop', sizes: false }, control), [])
  await rack.deploy('shop', shop('"data:/data", "cache:/cache"'))
  await rack.deploy('shop', shop('"data:/data"', ', scale: 0'))
  const found = await operations.listVolumes({ sizes: false }, control)
  assert.deepEqual(
    found.map(({ app, name, usedBy, holders, leftOver }) => [app, name, usedBy, holders, leftOver]),
    [
      ['shop', 'cache', [], [], false],
      ['shop', 'data', ['db'], found[1]?.holders, false],
    ],
  )
  await operations.createApp('blog')
  assert.deepEqual(await operations.listVolumes({ app: 'blog', sizes: false }, control), [])
  await assert.rejects(operations.listVolumes({ app: 'typo', sizes: false }, control), fails('not-found'))
})

test('a volume that the live release mounts is not deleted, also where no copy runs', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('"data:/data", "cache:/cache"'))
  await operations.scaleProcesses('shop', { db: { count: 0 } }, control)
  const { holders, usedBy } = await operations.getVolume('shop', 'data', { sizes: false }, control)
  assert.deepEqual([holders, usedBy], [[], ['db']])
  await assert.rejects(remove(rack, 'data'), (error: RackError) => {
    assert.deepEqual([error.code, error.message], ['conflict', 'the volume "data" of shop is used by db'])
    assert.match(error.hint ?? '', /rack apps delete shop --volumes/)
    return true
  })
  await rack.deploy('shop', shop('"data:/data"'))
  await remove(rack, 'cache')
  await assert.rejects(remove(rack, 'cache'), fails('not-found'))
})

test('a volume that a one-off has is not deleted, nor any while its app changes', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const old = await rack.deploy('shop', shop('"cache:/cache"'))
  await rack.deploy('shop', shop('"data:/data"'))
  const request = { type: 'db', command: ['sleep'], release: old, timeoutMs: null }
  const { process: running } = await operations.runProcess('shop', request, null, control)
  await assert.rejects(remove(rack, 'cache'), (error: RackError) => {
    assert.equal(error.code, 'conflict')
    assert.ok(error.message.includes(running.id), error.message)
    return true
  })
  await operations.stopProcess('shop', running.id, control)
  const stuck = await rack.build(
    'shop',
    'services:\n  web: { image: shop, ports: ["80:80"], command: sleep }\n',
  )
  const promoting = assert.rejects(
    operations.promoteRelease('shop', stuck, { releaseCommand: true }, control),
    fails('cancelled'),
  )
  const isChanging = async () => (await operations.getApp('shop', control)).operation !== null
  await until(isChanging, { deadlineMs: 5000, what: 'the promote to begin' })
  await assert.rejects(remove(rack, 'cache'), fails('busy'))
  await operations.cancelApp('shop', control)
  await promoting
  await remove(rack, 'cache')
})

test('the volumes of a deleted app are left over, can be deleted, and are found by its successor', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('"data:/data", "cache:/cache"'))
  await operations.deleteApp('shop', { volumes: false }, control)
  const left = await operations.listVolumes({ app: 'shop', sizes: false }, control)
  assert.deepEqual(
    left.map(({ name, leftOver, usedBy }) => [name, leftOver, usedBy]),
    [
      ['cache', true, []],
      ['data', true, []],
    ],
  )
  await remove(rack, 'cache')
  await operations.createApp('shop')
  await rack.deploy('shop', shop('"data:/data"'))
  const { created, leftOver } = await operations.getVolume('shop', 'data', { sizes: false }, control)
  assert.deepEqual([created, leftOver], [left[1]?.created, false])
  await operations.deleteApp('shop', { volumes: true }, control)
  assert.deepEqual(await operations.listVolumes({ sizes: false }, control), [])
})
