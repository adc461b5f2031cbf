import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { until } from '../../src/lib/poll.ts'
import { dieAfter } from '../support/dying-parts.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'

const shop = (command = 'serve', memory = '64M') => `services:
  web:
    image: shop
    ports: ["80:3000"]
    command: ${command}
    deploy: { resources: { limits: { memory: ${memory} } } }
`
const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code

/** Holds the deploys of some apps until it is opened, or until they are cancelled. */
function holdDeploys({ engine }: MemoryRack, apps: string[]) {
  const gate = Promise.withResolvers<void>()
  const deploy = engine.deploy.bind(engine)
  const held: string[] = []
  engine.deploy = async (change, control) => {
    const { name: app } = change.plan.owner
    if (apps.includes(app)) {
      held.push(app)
      await abortable(gate.promise, control.signal)
    }
    return await deploy(change, control)
  }
  return { held, open: () => gate.resolve() }
}

/** A promote that a daemon has begun and did not live to start copies for. */
async function leavePromote(rack: MemoryRack, app: string, compose: string): Promise<string> {
  const release = await rack.build(app, compose)
  const deploys = holdDeploys(rack, [app])
  const first = await rack.restart()
  const promoted = assert.rejects(
    first.operations.as(tester).promoteRelease(app, release, { releaseCommand: true }, rack.control),
  )
  await until(async () => deploys.held.length > 0, { deadlineMs: 5000, what: 'the promote to begin' })
  await first.interrupt()
  await promoted
  deploys.open()
  return release
}

test('an app that is slow to come back keeps no other down', async () => {
  await using rack = await startMemoryRack()
  const { control, engine, store } = rack
  const slow = ['slow-one', 'slow-two', 'slow-three']
  for (const app of [...slow, 'zebra']) {
    await rack.operations.createApp(app)
    await rack.deploy(app, shop())
  }
  await engine.remove(appOwner('zebra'), { volumes: false }, control)
  for (const app of slow) {
    const release = await rack.build(app, shop('print next serve'))
    await store.operations.begin(app, 'promote', 'test', { release })
  }
  const deploys = holdDeploys(rack, slow)
  const recovered = (await rack.restart()).recover(control)
  const isBack = async () => (await engine.processes({ owner: appOwner('zebra') }, control)).length === 1
  await until(isBack, { deadlineMs: 20_000, what: 'the other app to be back' })
  const areHeld = () => deploys.held.length === slow.length
  await until(areHeld, { deadlineMs: 20_000, what: 'the slow apps to be at it' })
  assert.deepEqual(deploys.held.toSorted(), slow.toSorted())
  deploys.open()
  assert.equal(await recovered, true)
})

test('the room of a change that a dead daemon left is nobody else’s', async () => {
  await using rack = await startMemoryRack()
  const { control, engine } = rack
  for (const app of ['shop', 'blog']) await rack.operations.createApp(app)
  const left = await leavePromote(rack, 'shop', shop('serve', '5G'))
  const other = await rack.build('blog', shop('serve', '5G'))
  const next = await rack.restart()
  await assert.rejects(
    next.operations.as(tester).promoteRelease('blog', other, { releaseCommand: true }, control),
    fails('capacity'),
  )
  assert.equal(await next.recover(control), true)
  assert.equal(engine.livePlan('shop')?.release, left)
  await assert.rejects(
    next.operations.as(tester).promoteRelease('blog', other, { releaseCommand: true }, control),
    fails('capacity'),
  )
  const { reserved, total } = await next.operations.as(tester).getCapacity(control)
  assert.ok(reserved.memoryBytes <= total.memoryBytes)
})

test('the room of what is live and still down is nobody else’s', async () => {
  await using rack = await startMemoryRack()
  const { control, engine } = rack
  for (const app of ['shop', 'blog']) await rack.operations.createApp(app)
  await rack.deploy('shop', shop('serve', '5G'))
  const other = await rack.build('blog', shop('serve', '5G'))
  await engine.remove(appOwner('shop'), { volumes: false }, control)
  const deploys = holdDeploys(rack, ['shop'])
  const next = await rack.restart()
  const recovered = next.recover(control)
  await until(async () => deploys.held.length > 0, { deadlineMs: 5000, what: 'the app to be brought back' })
  await assert.rejects(
    next.operations.as(tester).promoteRelease('blog', other, { releaseCommand: true }, control),
    fails('capacity'),
  )
  deploys.open()
  assert.equal(await recovered, true)
})

test('a change that no longer fits is undone when it is taken up', async () => {
  await using rack = await startMemoryRack()
  const { control, engine, store } = rack
  await rack.operations.createApp('shop')
  const live = await rack.deploy('shop', shop())
  const release = await rack.build('shop', shop('print next serve'))
  const reserved = { cpuUnits: 64, memoryBytes: 2 ** 40 }
  const { id } = await store.operations.begin('shop', 'promote', 'test', {
    release,
    previousRelease: live,
    reserved,
  })
  await (await rack.restart()).recover(control)
  const row = await store.operations.get(id)
  assert.deepEqual([row?.status, row?.error?.code], ['failed', 'capacity'])
  assert.equal(engine.livePlan('shop')?.release, live)
})

test('what fails in recovery and is no error of ours keeps its message, in the row and in the log', async () => {
  await using rack = await startMemoryRack()
  const { control, engine, store } = rack
  await rack.operations.createApp('shop')
  const release = await rack.build('shop', shop())
  const { id } = await store.operations.begin('shop', 'promote', 'test', { release })
  const deploy = engine.deploy.bind(engine)
  engine.deploy = () => Promise.reject(new TypeError('plan.processes is not iterable'))
  const told: unknown[] = []
  const next = await rack.restart({ log: (...said) => told.push(said) })
  await next.recover(control)
  engine.deploy = deploy
  const { error } = (await store.operations.get(id)) ?? assert.fail('no row')
  assert.equal(error?.code, 'internal')
  assert.match(error?.message ?? '', /plan\.processes is not iterable/)
  assert.match(JSON.stringify(told), /is undone.*plan\.processes is not iterable/)
})

test('a kill in the middle of a creation leaves no app that is being created for good', async () => {
  await using rack = await startMemoryRack()
  for (let steps = 0; ; steps++) {
    const parts = dieAfter(rack, steps)
    const operations = (await rack.restart(parts)).operations.as(tester)
    const isCreated = await operations.createApp(`shop-${steps}`).then(
      () => true,
      () => false,
    )
    for (const { name, status } of await rack.store.apps.list()) {
      assert.equal(status, 'running', `${name}, killed after ${parts.calls.join(', ')}`)
    }
    if (isCreated) break
  }
  assert.ok((await rack.store.apps.list()).length > 0)
})

test('a promote that a full disk keeps from being closed is told of, and taken up with room', async () => {
  await using rack = await startMemoryRack()
  const { control, store } = rack
  await rack.operations.createApp('shop')
  await rack.deploy('shop', shop('print one serve'))
  const release = await rack.build('shop', shop('print two serve'))
  let isFull = true
  const whenFull = async () => {
    if (isFull) throw new RackError('disk-full', 'no room is left')
  }
  const operations: typeof store.operations = {
    ...store.operations,
    complete: async (...given) => await whenFull().then(() => store.operations.complete(...given)),
    fail: async (...given) => await whenFull().then(() => store.operations.fail(...given)),
  }
  const room = await rack.restart({ store: { ...store, operations } })
  assert.deepEqual(await room.abandoned(), [])
  await assert.rejects(
    room.operations.as(tester).promoteRelease('shop', release, { releaseCommand: true }, control),
    fails('disk-full'),
  )
  const [open] = await store.operations.running()
  assert.deepEqual(await room.abandoned(), [open?.id])
  isFull = false
  assert.ok(await room.recover(control))
  assert.deepEqual(await room.abandoned(), [])
  const app = await room.operations.as(tester).getApp('shop', control)
  assert.deepEqual([app.status, app.release], ['running', release])
})
