import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import type { Problem } from '../../src/domain/manifest.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { startMemoryRack, type MemoryRack, tester } from '../support/memory-rack.ts'
import { noPolicyChange } from '../../src/domain/policy.ts'

const shop = (command = 'sleep') => `services:
  web: { image: shop, command: ${command}, volumes: ["/srv/shared/web:/data"] }
`
const plain = 'services:\n  web: { image: shop, command: sleep }\n'

const change = ({ operations }: MemoryRack, how: { allow?: string; deny?: string; privileged?: boolean }) =>
  operations.changePolicy({
    ...noPolicyChange,
    allowBinds: how.allow === undefined ? [] : [how.allow],
    denyBinds: how.deny === undefined ? [] : [how.deny],
    privileged: how.privileged ?? null,
  })

/** What the policy alone refuses, with the way out. */
function refusedByPolicy(error: unknown): boolean {
  assert.ok(error instanceof RackError, String(error))
  assert.equal(error.code, 'manifest-invalid')
  assert.match(error.message, /^the rack's policy refuses what the compose file wants\n/)
  assert.match(error.hint ?? '', /rack policy/)
  const problems = error.details as Problem[]
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error').map(({ kind }) => kind),
    ['policy'],
  )
  assert.match(problems[0]?.hint ?? '', /--allow-bind \/srv\/shared/)
  return true
}

/** A rack whose live release mounts what the policy allowed then, and allows no more. */
async function tightened() {
  const rack = await startMemoryRack()
  const { operations } = rack
  await operations.createApp('shop')
  await change(rack, { allow: '/srv/shared' })
  const old = await rack.deploy('shop', shop())
  const live = await rack.deploy('shop', shop('print two sleep'))
  await change(rack, { deny: '/srv/shared' })
  return { rack, old, live }
}

test('the policy is asked at each build and promote, and a change holds without a restart', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await assert.rejects(rack.build('shop', shop()), refusedByPolicy)
  await change(rack, { allow: '/srv/shared' })
  const release = await rack.build('shop', shop())
  await change(rack, { deny: '/srv/shared' })
  await assert.rejects(
    operations.promoteRelease('shop', release, { releaseCommand: true }, control),
    refusedByPolicy,
  )
  await assert.rejects(operations.planPromotion('shop', release, control), refusedByPolicy)
  assert.equal((await operations.getApp('shop', control)).release, null)
  await change(rack, { allow: '/srv' })
  await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  const [mount] = rack.engine.livePlan('shop')?.processes[0]?.mounts ?? []
  assert.deepEqual(mount, { kind: 'bind', source: '/srv/shared/web', path: '/data', readOnly: false })
})

test('privileged is refused until it is allowed', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const compose = 'services:\n  web: { image: shop, command: sleep, privileged: true }\n'
  await assert.rejects(rack.build('shop', compose), /rack's policy refuses/)
  await change(rack, { privileged: true })
  await rack.deploy('shop', compose)
  await change(rack, { privileged: false })
  const { release } = await operations.getApp('shop', control)
  await assert.rejects(
    operations.promoteRelease('shop', release!, { releaseCommand: true }, control),
    /rack's policy refuses/,
  )
})

test('a policy that became stricter takes nothing down: not at a restart of the daemon, nor when the engine is back', async () => {
  const { rack, live } = await tightened()
  await using _rack = rack
  const { engine, control } = rack
  const [before] = await engine.processes({ owner: appOwner('shop') }, control)
  const room = await rack.restart()
  assert.ok(await room.recover(control))
  // As after a loss of power: nothing of it runs, and its plan is brought about anew.
  await engine.remove(appOwner('shop'), { volumes: false }, control)
  assert.ok(await room.recover(control))
  assert.equal(engine.livePlan('shop')?.release, live)
  const [after] = await engine.processes({ owner: appOwner('shop') }, control)
  assert.notEqual(after?.id, before?.id)
  assert.equal((await room.operations.as(tester).getApp('shop', control)).status, 'running')
})

test('what is live can be looked at, scaled, restarted and run from; another release cannot be had back', async () => {
  const { rack, old, live } = await tightened()
  await using _rack = rack
  const { operations, control } = rack
  await operations.scaleProcesses('shop', { web: { count: 2 } }, control)
  await operations.restartApp('shop', null, control)
  await operations.diffReleases('shop', { from: old, to: live })
  await operations.processEnvironment('shop', 'web')
  const run = { type: 'web', command: ['exit', '0'], timeoutMs: null }
  await (
    await operations.runProcess('shop', { ...run, release: null }, null, control)
  ).exit
  await (
    await operations.runProcess('shop', { ...run, release: live }, null, control)
  ).exit
  await assert.rejects(
    operations.runProcess('shop', { ...run, release: old }, null, control),
    refusedByPolicy,
  )
  await assert.rejects(
    operations.rollbackRelease('shop', null, { releaseCommand: true }, control),
    refusedByPolicy,
  )
  await assert.rejects(
    operations.promoteRelease('shop', live, { releaseCommand: true }, control),
    refusedByPolicy,
  )
  assert.equal(rack.engine.livePlan('shop')?.release, live)
  await rack.deploy('shop', plain)
})

test('a promote that a dead daemon left is undone when its release is no longer allowed', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  const live = await rack.deploy('shop', plain)
  await change(rack, { allow: '/srv/shared' })
  const release = await rack.build('shop', shop())
  const { id } = await store.operations.begin('shop', 'promote', 'test', { release, previousRelease: live })
  await change(rack, { deny: '/srv/shared' })
  const room = await rack.restart()
  assert.ok(await room.recover(control))
  const left = await store.operations.get(id)
  assert.deepEqual([left?.status, left?.error?.code], ['failed', 'manifest-invalid'])
  assert.equal(engine.livePlan('shop')?.release, live)
})
