import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Store } from '../../src/domain/store.ts'
import { until } from '../../src/lib/poll.ts'
import { whenBegun, whenCopied } from '../support/begun.ts'
import { startMemoryRack, tester } from '../support/memory-rack.ts'
import { upload } from '../support/upload.ts'
import { deployPlan } from '../support/deploy-plan.ts'

const shop = (command = 'serve', more = '') =>
  `services:\n  web: { image: shop, ports: ["80:3000"], command: ${command} }\n${more}`
const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code
const full = () => Promise.reject(new RackError('store-failed', 'the disk is full'))

/** A change that meets another may be refused, or wait for it without a sign: then it is given a while to get there. */
const asFarAsItGoes = (...changes: Promise<unknown>[]) => Promise.race([...changes, delay(200)])

/** Makes one method of a store fail until it is given back. */
function breakMethod<Name extends 'operations' | 'apps'>(
  store: Store,
  noun: Name,
  method: keyof Store[Name],
): () => void {
  const kept = store[noun][method]
  store[noun][method] = full as (typeof store)[Name][typeof method]
  return () => {
    store[noun][method] = kept
  }
}

test('of a scale and a promote at once, none undoes what the other was thanked for', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const next = await rack.build('shop', shop('print next serve'))
  // The scale has read the live release when the promote ends.
  const environment = store.releases.environment.bind(store.releases)
  let promoted: Promise<string> | null = null
  store.releases.environment = async (app, id) => {
    const found = await environment(app, id)
    promoted ??= operations.promoteRelease('shop', next, { releaseCommand: true }, control).then(
      () => next,
      (error: unknown) => (fails('busy')(error) ? good : Promise.reject(error as Error)),
    )
    await asFarAsItGoes(promoted)
    return found
  }
  await operations.scaleProcesses('shop', { web: { count: 2 } }, control)
  store.releases.environment = environment
  const expected = await (promoted as Promise<string> | null)
  const { release } = await operations.getApp('shop', control)
  assert.deepEqual([rack.engine.livePlan('shop')?.release, release], [expected, expected])
  assert.equal((await operations.getFormation('shop')).web?.count, 2)
})

test('bringing live plans about never undoes a promote that runs meanwhile', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const next = await rack.build('shop', shop('print next serve'))
  const deploy = engine.deploy.bind(engine)
  const promotes: Promise<unknown>[] = []
  engine.deploy = async (change, given) => {
    if (change.plan.release !== next && promotes.length === 0) {
      promotes.push(operations.promoteRelease('shop', next, { releaseCommand: true }, control))
      await asFarAsItGoes(...promotes)
    }
    return await deploy(change, given)
  }
  await rack.room.recover(control)
  await Promise.all(promotes)
  assert.equal(promotes.length, 1)
  assert.equal(engine.livePlan('shop')?.release, next)
})

test('what this daemon has begun is not taken up as if another had left it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const slow = await rack.build('shop', shop('pause 200 serve'))
  let deploys = 0
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, given) => {
    if (change.plan.release === slow) deploys++
    return await deploy(change, given)
  }
  const promoted = operations.promoteRelease('shop', slow, { releaseCommand: true }, control)
  await whenCopied(rack, slow)
  const { promise: isRecovered, resolve: recovered } = Promise.withResolvers<void>()
  const content = async function* () {
    await isRecovered
    yield* upload(shop())
  }
  const built = operations.buildApp(
    'shop',
    { content: content(), description: null, noCache: false },
    control,
  )
  await whenBegun(rack.store, 'build')
  await rack.room.recover(control)
  recovered()
  await promoted
  await built
  // Once for the promote, once to bring the then live plan about.
  assert.ok(deploys <= 2, `${deploys} deploys`)
})

test('a rollback finds what was live before, whatever number of scales ago that was', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  const first = await rack.deploy('shop', shop())
  const live = await rack.deploy('shop', shop('print next serve'))
  for (let i = 0; i < 210; i++) {
    const intent = { release: live, previousRelease: live }
    const { id } = await store.operations.begin('shop', 'scale', 'autoscaler', intent)
    await store.operations.complete(id, { liveRelease: live })
  }
  const { from } = await operations.diffReleases('shop', {})
  assert.equal(from, first)
  const { release } = await operations.rollbackRelease('shop', null, { releaseCommand: true }, control)
  assert.equal((await operations.getRelease('shop', release)).basedOn, first)
  assert.equal(engine.livePlan('shop')?.release, release)
})

test('a deploy that cannot be recorded is recorded by the next change, and its release is live', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const next = await rack.build('shop', shop('print next serve'))
  const mend = breakMethod(store, 'operations', 'complete')
  await assert.rejects(
    operations.promoteRelease('shop', next, { releaseCommand: true }, control),
    fails('store-failed'),
  )
  mend()
  await operations.scaleProcesses('shop', { web: { count: 2 } }, control)
  const { release, operation } = await operations.getApp('shop', control)
  assert.deepEqual([release, operation], [next, null])
  assert.equal(rack.engine.livePlan('shop')?.release, next)
})

test('a failure that cannot be recorded is told itself, and does not keep the app busy', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const bad = await rack.build('shop', shop('exit 3'))
  const mend = breakMethod(store, 'operations', 'fail')
  await assert.rejects(
    operations.promoteRelease('shop', bad, { releaseCommand: true }, control),
    fails('deploy-failed'),
  )
  mend()
  await operations.restartApp('shop', null, control)
  assert.equal((await operations.getApp('shop', control)).release, good)
})

test('a row that cannot be taken up again does not stay open for ever', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const intent = { release: 'RZZZZZZZZZZ', previousRelease: good }
  await store.operations.begin('shop', 'promote', 'test', intent)
  const deploy = engine.deploy.bind(engine)
  engine.deploy = () => Promise.reject(new RackError('engine-failed', 'no'))
  await rack.room.recover(control)
  engine.deploy = deploy
  assert.deepEqual(await store.operations.running(), [])
})

test('a cancel of what is taken up goes back to what was live', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const stuck = await rack.build('shop', shop('pause 20000 serve'))
  await store.operations.begin('shop', 'promote', 'test', { release: stuck, previousRelease: good })
  const deployed: string[] = []
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, given) => {
    given.signal.throwIfAborted()
    deployed.push(change.plan.release)
    return await deploy(change, given)
  }
  const recovered = rack.room.recover(control)
  await until(() => deployed.length > 0, { deadlineMs: 5_000, what: 'the deploy to be taken up' })
  assert.equal((await operations.cancelApp('shop', control)).status, 'cancelled')
  await recovered
  assert.deepEqual(deployed.slice(0, 2), [stuck, good])
})

test('a change that could be undone in part only is taken up, and goes back without trying again', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const bad = await rack.build('shop', shop('exit 3'))
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async ({ onHalfUndone }) => {
    onHalfUndone?.()
    throw new RackError('deploy-failed', 'web: it exited; not all of what ran before is back', {
      details: [],
    })
  }
  const promoting = operations.promoteRelease('shop', bad, { releaseCommand: true }, control)
  await assert.rejects(promoting, fails('deploy-failed'))
  const [open] = await store.operations.list('shop', 1)
  assert.equal(open?.status, 'running')
  assert.deepEqual(await rack.room.abandoned(), [open?.id])
  const deployed: string[] = []
  let isBarred = true
  engine.deploy = async (change, given) => {
    deployed.push(change.plan.release)
    if (isBarred) throw new RackError('host-failed', 'there is no router')
    return await deploy(change, given)
  }
  assert.equal(await rack.room.recover(control), false, 'it is to be tried again')
  isBarred = false
  assert.equal(await rack.room.recover(control), true)
  assert.deepEqual(new Set(deployed), new Set([good]))
  const row = await store.operations.get(open.id)
  assert.deepEqual([row?.status, row?.error?.code], ['failed', 'deploy-failed'])
  assert.match(row?.error?.message ?? '', /not all of what ran before/)
  assert.equal((await operations.getApp('shop', control)).status, 'running')
})

test('a build whose daemon died before its row, or after its release, is closed as what it is', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store } = rack
  await operations.createApp('shop')
  const lost = await store.builds.create('shop', null)
  const mend = breakMethod(store, 'operations', 'complete')
  const release = await rack.build('shop', shop())
  mend()
  const second = await rack.restart()
  await second.recover(control)
  assert.equal((await second.operations.as(tester).getBuild('shop', lost.id)).status, 'failed')
  const [built] = await store.operations.list('shop', 1)
  assert.deepEqual([built?.kind, built?.status], ['build', 'complete'])
  assert.equal((await second.operations.as(tester).getRelease('shop', release)).id, release)
})

test('deleting an app ends its builds, and leaves none of their blobs', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, objects } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const [old] = await operations.listBuilds('shop', 1)
  assert.ok(old)
  const stuck = async function* () {
    yield Buffer.alloc(512)
    await once(control.signal, 'abort')
  }
  const building = assert.rejects(
    operations.buildApp('shop', { content: stuck(), description: null, noCache: false }, control),
    fails('cancelled'),
  )
  await whenBegun(rack.store, 'build')
  await operations.deleteApp('shop', { volumes: true }, control)
  await building
  assert.deepEqual(await Array.fromAsync(objects.list('')), [])
})

test('a deletion that fails half-way does not call the app running', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  engine.remove = () => Promise.reject(new RackError('engine-failed', 'no'))
  await assert.rejects(operations.deleteApp('shop', { volumes: false }, control), fails('engine-failed'))
  assert.equal((await operations.getApp('shop', control)).status, 'failed')
})

test('a rollback that is refused makes no release', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const first = await rack.deploy('shop', shop())
  const slow = await rack.build('shop', shop('pause 200 serve'))
  const promoted = operations.promoteRelease('shop', slow, { releaseCommand: true }, control)
  await whenBegun(rack.store, 'promote')
  await assert.rejects(
    operations.rollbackRelease('shop', first, { releaseCommand: true }, control),
    fails('busy'),
  )
  await promoted
  assert.equal((await operations.listReleases('shop', 10)).length, 2)
})

test('a daemon that stops takes no new change, and does not wait for ever for the old ones', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const release = await rack.deploy('shop', shop())
  await rack.room.interrupt()
  await assert.rejects(
    operations.promoteRelease('shop', release, { releaseCommand: true }, control),
    fails('unreachable'),
  )
  const content = upload(shop())
  await assert.rejects(
    operations.buildApp('shop', { content, description: null, noCache: false }, control),
    fails('unreachable'),
  )
  assert.deepEqual(await rack.store.operations.running(), [])
})

test('what a broken first promote could not take away goes when the engine is back', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  const release = await rack.build('shop', shop())
  const { plan } = await operations.planPromotion('shop', release, control)
  await deployPlan(engine, { ...plan, owner: appOwner('shop') }, control)
  assert.equal((await engine.processes({ owner: appOwner('shop') }, control)).length, 1)
  assert.equal(await (await rack.restart()).recover(control), true)
  assert.deepEqual(await engine.processes({ owner: appOwner('shop') }, control), [])
})

test('recovery tells when an app could not be brought back, and brings it back the next time', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const deploy = engine.deploy.bind(engine)
  engine.deploy = () => Promise.reject(new RackError('engine-failed', 'not yet'))
  const room = await rack.restart()
  assert.equal(await room.recover(control), false)
  engine.deploy = deploy
  assert.equal(await room.recover(control), true)
})
