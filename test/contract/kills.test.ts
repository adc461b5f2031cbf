import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import { strictPolicy } from '../../src/domain/policy.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { openPolicy } from '../../src/operations/policy-keeper.ts'
import { dieAfter } from '../support/dying-parts.ts'
import { startMemoryRack, tester } from '../support/memory-rack.ts'

const compose = (word: string) => `services:
  web: { image: shop, ports: ["80:3000"], command: print ${word} serve }
  worker: { image: shop, command: sleep }
`

/** A rack with an app of two releases, the second of which is live. */
async function openWorld() {
  const rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const releases = [await rack.deploy('shop', compose('one')), await rack.deploy('shop', compose('two'))]
  return { rack, releases, [Symbol.asyncDispose]: async () => rack[Symbol.asyncDispose]() }
}

type World = Awaited<ReturnType<typeof openWorld>>

/** A verb of a daemon that dies in the middle of it; `round` tells one call from the next. */
type Verb = (operations: Operations, world: World, round: number) => Promise<unknown>

const verbs: Record<string, Verb> = {
  promote: (operations, { releases, rack }, round) =>
    operations.promoteRelease('shop', releases[round % 2] ?? '', { releaseCommand: true }, rack.control),
  rollback: (operations, { rack }) =>
    operations.rollbackRelease('shop', null, { releaseCommand: true }, rack.control),
  scale: (operations, { rack }, round) =>
    operations.scaleProcesses('shop', { web: { count: 1 + (round % 2) } }, rack.control),
  restart: (operations, { rack }) => operations.restartApp('shop', null, rack.control),
  stop: async (operations, { rack }) => {
    const [copy] = await rack.engine.processes({ owner: appOwner('shop') }, rack.control)
    await operations.stopProcess('shop', copy?.id ?? '', rack.control)
  },
  'change of the environment': (operations, _world, round) =>
    operations.changeEnvironment('shop', { set: { ROUND: String(round) }, unset: [], replace: false }),
  'change of a service': async (operations, { rack }, round) => {
    const url = `tcp://127.0.0.1:${10 + round}`
    const [known] = await operations.listServices(rack.control)
    if (!known) await operations.createService({ name: 'main', type: 'url', url }, rack.control)
    const { releases } = await operations.setServiceUrl('main', { url: `${url}/shop` }, rack.control)
    const release =
      releases[0] ?? (await operations.createLink('shop', { service: 'main' }, rack.control)).release
    await operations.promoteRelease('shop', release.id, { releaseCommand: true }, rack.control)
  },
  lock: (operations, _world, round) => operations.setLocked('shop', round % 2 === 0),
  prune: (operations, { rack }) => operations.prune({ buildCache: true, volumes: true }, rack.control),
}

/** What holds after a kill anywhere, once the next daemon has recovered. */
async function checkRecovered({ rack }: World, where: string): Promise<void> {
  const { engine, store, control } = rack
  const room = await rack.restart()
  assert.ok(await room.recover(control), where)
  assert.deepEqual(await store.operations.running(), [], where)
  const app = await room.operations.as(tester).getApp('shop', control)
  assert.deepEqual([app.status, app.operation], ['running', null], where)
  assert.equal(engine.livePlan('shop')?.release ?? 'none', app.release, where)
  const running = await engine.processes({ owner: appOwner('shop') }, control)
  const copies = Object.groupBy(running, ({ type }) => type)
  for (const [type, { count }] of Object.entries(app.formation)) {
    assert.equal(copies[type]?.length ?? 0, count, `copies of ${type} ${where}`)
  }
  assert.deepEqual(new Set(Object.keys(copies)), new Set(Object.keys(app.formation)), where)
  const { holders } = await room.operations.as(tester).getCapacity(control)
  assert.ok(!holders.some(({ type }) => type === '(starting)'), `room is held for nobody ${where}`)
}

for (const [name, verb] of Object.entries(verbs)) {
  test(`a kill before and after any step of a ${name} is recovered from`, { timeout: 60_000 }, async () => {
    await using world = await openWorld()
    const { rack } = world
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 100, 'no end')
      const parts = dieAfter(rack, steps)
      const operations = (await rack.restart(parts)).operations.as(tester)
      const isAcknowledged = await verb(operations, world, steps).then(
        () => true,
        () => false,
      )
      await checkRecovered(world, `after ${steps} steps of a ${name}, ${parts.calls.at(-1)}`)
      if (parts.calls.length < steps) {
        assert.ok(isAcknowledged, `a ${name} that nobody killed failed`)
        break
      }
    }
  })
}

test('a promote that was acknowledged is live after a kill, and one that was not is whole', async () => {
  await using world = await openWorld()
  const { rack, releases } = world
  for (let steps = 0; steps < 100; steps++) {
    const { release: before } = await rack.operations.getApp('shop', rack.control)
    const wanted = releases.find((id) => id !== before) ?? assert.fail('no other release')
    const parts = dieAfter(rack, steps)
    const operations = (await rack.restart(parts)).operations.as(tester)
    const isAcknowledged = await operations
      .promoteRelease('shop', wanted, { releaseCommand: true }, rack.control)
      .then(
        () => true,
        () => false,
      )
    await checkRecovered(world, `after ${steps} steps`)
    const { release: after } = await rack.operations.getApp('shop', rack.control)
    assert.ok(after === wanted || (after === before && !isAcknowledged), `after ${steps} steps`)
    if (parts.calls.length < steps) return
  }
  assert.fail('no end')
})

test('a deletion that was killed anywhere is finished, or has not begun', { timeout: 60_000 }, async () => {
  for (let steps = 0; steps < 100; steps++) {
    await using world = await openWorld()
    const { rack } = world
    const parts = dieAfter(rack, steps)
    const operations = (await rack.restart(parts)).operations.as(tester)
    await operations.deleteApp('shop', { volumes: true }, rack.control).catch(() => undefined)
    if (await isGone(world)) {
      assert.deepEqual(await Array.fromAsync(rack.objects.list('')), [])
      assert.deepEqual(await rack.engine.processes({ owner: appOwner('shop') }, rack.control), [])
    } else await checkRecovered(world, `after ${steps} steps of a deletion`)
    if (parts.calls.length < steps) return
  }
  assert.fail('no end')
})

/** Whether the app is, after the recovery. */
async function isGone({ rack }: World): Promise<boolean> {
  assert.ok(await (await rack.restart()).recover(rack.control))
  return (await rack.store.apps.get('shop')) === null
}

test('deleting a build, killed anywhere, leaves no log of a build that is no more', async () => {
  await using world = await openWorld()
  const { rack } = world
  for (let steps = 0; steps < 100; steps++) {
    const [, old] = await rack.operations.listBuilds('shop', 2)
    if (!old) return
    const parts = dieAfter(rack, steps)
    const operations = (await rack.restart(parts)).operations.as(tester)
    await operations.deleteBuild('shop', old.id).catch(() => undefined)
    await checkRecovered(world, `after ${steps} steps`)
    const logs = await Array.fromAsync(rack.objects.list('builds/'), ({ key }) => key)
    const isKept = (await rack.store.builds.get('shop', old.id)) !== null
    assert.equal(
      logs.some((key) => key.includes(old.id)),
      isKept,
      `after ${steps} steps`,
    )
    if (!isKept) await rack.build('shop', compose('more'))
    if (parts.calls.length < steps) return
  }
  assert.fail('no end')
})

test('a change of the policy, killed anywhere, is kept whole or not at all', async () => {
  await using world = await openWorld()
  const { rack } = world
  const checkBinds = async () => undefined
  const open = (store = rack.store) =>
    openPolicy({ policies: store.policies, seed: strictPolicy, checkBinds })
  for (let steps = 0; steps < 100; steps++) {
    const before = (await open()).current()
    const after = { ...before, binds: [`/srv/${steps}`] }
    const parts = dieAfter(rack, steps)
    const isAcknowledged = await open(parts.store)
      .then((keeper) => keeper.change(() => after, 'test'))
      .then(
        () => true,
        () => false,
      )
    assert.deepEqual((await open()).current(), isAcknowledged ? after : before)
    if (parts.calls.length < steps) return
  }
  assert.fail('no end')
})
