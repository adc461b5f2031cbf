import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control } from '../../src/domain/control.ts'
import { RackError } from '../../src/domain/error.ts'
import type { Operation } from '../../src/domain/operation.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { OperationsRoom } from '../../src/operations/create-operations.ts'
import { describeLack } from '../../src/domain/app-health.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

const shop = `services:
  web: { image: shop, command: sleep, deploy: { replicas: 2 } }
  worker: { image: shop, command: sleep }
`
const job = `services:
  job: { image: shop, command: pause 50 exit 0, restart: on-failure }
  worker: { image: shop, command: sleep }
  web: { image: shop, command: sleep }
`
const patience = { deadlineMs: 20_000, intervalMs: 20 }

/** Heals until it is left. */
function healing(room: OperationsRoom) {
  const leaving = new AbortController()
  const control: Control = { signal: leaving.signal, report: () => undefined }
  const ended = room.keepHealed(control)
  return {
    async [Symbol.asyncDispose]() {
      leaving.abort(new RackError('cancelled', 'the daemon is stopping'))
      await ended
    },
  }
}

/** A rack with an app that nothing is changed of. */
async function startShop(text: string): Promise<MemoryRack> {
  const rack = await startMemoryRack()
  await rack.room.recover(rack.control)
  await rack.operations.createApp('shop')
  await rack.deploy('shop', text)
  return rack
}

const copies = async ({ engine, control }: MemoryRack, type = 'web') =>
  await engine.processes({ owner: appOwner('shop'), type }, control)

const running = async (rack: MemoryRack, type = 'web') =>
  (await copies(rack, type)).filter(({ status }) => status === 'running').map(({ id }) => id)

const lacks = async ({ operations, control }: MemoryRack) => (await operations.getApp('shop', control)).lacks

/** Settles when the newest heal has ended so. */
async function heals({ store }: MemoryRack, status: Operation['status'] = 'complete'): Promise<Operation> {
  const find = async () => {
    const newest = (await store.operations.list('shop', 50)).find(({ kind }) => kind === 'heal')
    return newest?.status === status ? newest : null
  }
  return await until(find, { ...patience, what: `a heal that is ${status}` })
}

test('a copy that somebody removes is back, under a row of the journal with its receipt', async () => {
  await using rack = await startShop(shop)
  await using _healing = healing(rack.room)
  const [lost, kept] = await running(rack)
  await rack.engine.byHand.remove(lost!)
  const { actor, intent, receipt } = await heals(rack)
  assert.equal(actor, 'rack')
  assert.deepEqual(intent.lacks, [
    { type: 'web', wanted: 2, missing: 1, unhealthy: 0, crashed: 0, detail: null },
  ])
  assert.ok(receipt)
  const now = await running(rack)
  assert.equal(now.length, 2)
  assert.ok(now.includes(kept!) && !now.includes(lost!))
  const { status, healed } = await rack.operations.getApp('shop', rack.control)
  assert.deepEqual([status, healed?.status], ['running', 'complete'])
})

test('a copy that somebody stops runs again', async () => {
  await using rack = await startShop(shop)
  await using _healing = healing(rack.room)
  const before = await running(rack, 'worker')
  await rack.engine.byHand.stop(before[0]!)
  await heals(rack)
  assert.deepEqual(await running(rack, 'worker'), before)
})

test('what ended well is left as it is, also when somebody tidies it away', async () => {
  await using rack = await startShop(job)
  const isOver = async () => (await copies(rack, 'job')).find(({ status }) => status === 'completed')
  const ended = await until(isOver, { ...patience, what: 'the job to end' })
  await using _healing = healing(rack.room)
  // It was looked at when something else is healed.
  await rack.engine.byHand.remove((await running(rack, 'worker'))[0]!)
  await heals(rack)
  await rack.engine.byHand.remove(ended.id)
  await rack.engine.byHand.remove((await running(rack))[0]!)
  await until(async () => (await running(rack)).length === 1, { ...patience, what: 'web to be back' })
  const { intent } = await heals(rack)
  assert.deepEqual(
    intent.lacks?.map(({ type }) => type),
    ['web'],
  )
  assert.deepEqual([await copies(rack, 'job'), await lacks(rack)], [[], []])
})

test('what cannot be brought back is told with the reason, tried seldom, and keeps nothing else down', async () => {
  await using rack = await startShop(shop)
  const { engine } = rack
  let attempts = 0
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, control) => {
    if (!change.only?.includes('web')) return await deploy(change, control)
    attempts++
    const failure = { type: 'web', process: '', exitCode: null, lastLines: [], probe: 'no such image' }
    throw new RackError('deploy-failed', 'web: no such image', {
      hint: 'rack deploy',
      details: [{ ...failure, reason: 'not-started' }],
    })
  }
  await using _healing = healing(rack.room)
  for (const type of ['web', 'worker']) await engine.byHand.remove((await running(rack, type))[0]!)
  const isWorkerBack = async () => (await running(rack, 'worker')).length === 1
  await until(isWorkerBack, { ...patience, what: 'the worker to be back' })
  const told = async () => (await lacks(rack)).find(({ trouble }) => trouble !== null)
  const lack = await until(told, { ...patience, what: 'the trouble to be told' })
  assert.deepEqual(lack?.trouble, { message: 'web: no such image', hint: 'rack deploy' })
  assert.ok(lack?.nextTry)
  assert.ok(attempts <= 3, `${attempts} attempts`)
  const [app] = await rack.operations.listApps()
  assert.equal(app?.status, 'degraded')
  assert.deepEqual((await rack.operations.getRack(rack.control)).degraded, ['shop'])
})

test('an unhealthy copy is replaced after its time; one whose type may not overlap is told', async () => {
  const db = 'db: { image: shop, command: sleep, volumes: ["data:/data"] }'
  const web = 'web: { image: shop, command: sleep, labels: { rack.health.replace: 1 } }'
  await using rack = await startShop(`services:\n  ${web}\n  ${db}\nvolumes: { data: {} }\n`)
  await using _healing = healing(rack.room)
  const [sick] = await running(rack)
  rack.engine.byHand.sicken(sick!)
  rack.engine.byHand.sicken((await running(rack, 'db'))[0]!)
  const isTold = async () => (await lacks(rack)).length === 2
  await until(isTold, { ...patience, what: 'both to be told' })
  const { intent } = await heals(rack)
  assert.deepEqual(intent.leaving, [sick])
  const [next] = await running(rack)
  assert.ok(next && next !== sick)
  assert.deepEqual((await lacks(rack)).map(describeLack), ['db: 1 of 1 unhealthy'])
})

test('healing gives way to whoever wants a change, which brings back what is missing too', async () => {
  await using rack = await startShop(shop)
  const { engine } = rack
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, control) => {
    if (!change.only) return await deploy(change, control)
    return await abortable(new Promise<never>(() => undefined), control.signal)
  }
  await using _healing = healing(rack.room)
  await engine.byHand.remove((await running(rack))[0]!)
  await heals(rack, 'running')
  await rack.operations.scaleProcesses('shop', { worker: { count: 2 } }, rack.control)
  const { error } = await heals(rack, 'cancelled')
  assert.match(error!.message, /somebody has asked for a change/)
  assert.deepEqual([(await running(rack)).length, (await running(rack, 'worker')).length], [2, 2])
})

test('a heal that a dead daemon has left is closed, and what it was at is brought about', async () => {
  await using rack = await startShop(shop)
  const intent = { release: 'RAAAAAAAAAA', lacks: [] }
  const { id } = await rack.store.operations.begin('shop', 'heal', 'rack', intent)
  assert.equal((await rack.store.apps.get('shop'))?.status, 'running')
  await rack.engine.byHand.remove((await running(rack))[0]!)
  assert.equal(await (await rack.restart()).recover(rack.control), true)
  assert.equal((await rack.store.operations.get(id))?.status, 'failed')
  assert.equal((await running(rack)).length, 2)
})

const crashing = (more: string) => `services:
  web: { image: shop, command: pause 400 exit 3${more} }
`

test('a crash in the first minute after a promote is told by it, and by its release', async () => {
  await using rack = await startShop(shop)
  await using _healing = healing(rack.room)
  const release = await rack.deploy('shop', crashing(''))
  const isTold = async () => (await rack.operations.getRelease('shop', release)).crashed[0]
  const crash = await until(isTold, { ...patience, what: 'the crash to be told' })
  assert.equal(crash.type, 'web')
  assert.match(crash.detail, /crashed \(3\)/)
  const promote = (await rack.store.operations.list('shop', 5)).find(({ kind }) => kind === 'promote')
  assert.deepEqual(promote?.receipt?.crashed?.[0], crash)
  assert.equal((await rack.store.apps.get('shop'))?.release, release, 'nobody wanted to go back')
})

test('a crash in the first minute goes back by itself where the file says so', async () => {
  await using rack = await startShop(shop)
  await using _healing = healing(rack.room)
  const before = (await rack.store.apps.get('shop'))?.release
  const release = await rack.deploy('shop', crashing(', labels: { rack.deployment.rollback: auto }'))
  const isBack = async () => {
    const live = (await rack.store.apps.get('shop'))?.release
    return live === release ? null : live
  }
  const live = await until(isBack, { ...patience, what: 'the release before to be live again' })
  const { basedOn } = await rack.operations.getRelease('shop', live)
  assert.equal(basedOn, before)
  const [newest] = await rack.store.operations.list('shop', 1)
  assert.deepEqual([newest?.kind, newest?.actor, newest?.status], ['rollback', 'rack', 'complete'])
  assert.equal((await running(rack)).length, 2)
})

test('what a new daemon finds within the first minute of a promote is told too', async () => {
  await using rack = await startShop(shop)
  const release = await rack.deploy('shop', crashing(''))
  await using _healing = healing(await rack.restart())
  const isTold = async () => (await rack.operations.getRelease('shop', release)).crashed.length > 0
  await until(isTold, { ...patience, what: 'the crash to be told' })
})
