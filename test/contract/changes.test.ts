import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { until } from '../../src/lib/poll.ts'
import { Died } from '../support/kill-points.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

const shop = (words: string, more = '') => `
services:
  web:
    image: nginx:1
    command: ${words}
    ports: ["80:3000"]
    labels:
      rack.release.command: print migrating
${more}`

/** How often the release command of the app has run. */
async function runs(rack: MemoryRack): Promise<number> {
  const query = { app: 'shop', follow: false }
  const lines = await Array.fromAsync(rack.engine.logs(query, rack.control))
  return lines.filter(({ text }) => text === 'migrating').length
}

test('a release command runs for the promote of its release and never again, whatever fails after it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('serve 3000'))
  assert.equal(await runs(rack), 1)
  const broken = await rack.build('shop', shop('exit 3'))
  await assert.rejects(operations.promoteRelease('shop', broken, { releaseCommand: true }, control), {
    code: 'deploy-failed',
  })
  const after = await runs(rack)
  assert.equal(after, 2, 'the command of the broken release has run')
  await operations.scaleProcesses('shop', { web: { count: 2 } }, control)
  await operations.restartApp('shop', null, control)
  assert.equal(await rack.room.recover(control), true)
  assert.equal(await (await rack.restart()).recover(control), true)
  assert.equal(await runs(rack), after, 'scale, restart and recovery run none')
})

test('a command that was begun when the daemon died is never run a second time, and that is said', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine, store } = rack
  await operations.createApp('shop')
  const release = await rack.build('shop', shop('serve 3000'))
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async ({ releaseCommands }) => {
    await releaseCommands.note('web', 'begun')
    throw new Died()
  }
  const fail = store.operations.fail.bind(store.operations)
  store.operations.fail = () => Promise.reject(new RackError('store-failed', 'killed'))
  await assert.rejects(operations.promoteRelease('shop', release, { releaseCommand: true }, control), Died)
  Object.assign(store.operations, { fail })
  Object.assign(engine, { deploy })
  await (await rack.restart()).recover(control)
  assert.equal(await runs(rack), 0)
  const [row] = await store.operations.list('shop', 1)
  assert.deepEqual([row?.status, row?.error?.code], ['failed', 'deploy-failed'])
  assert.match(row?.error?.message ?? '', /release command was begun, and how it ended is not known/)
  assert.deepEqual(await engine.processes({ owner: appOwner('shop') }, control), [])
})

test('a stopped copy is replaced under the journal, and by no more than was admitted', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('serve 3000').replace('ports:', 'deploy: { replicas: 2 }\n    ports:'))
  const [first, second] = await operations.listProcesses('shop', {}, control)
  const reserved = async () => (await engine.capacity(control)).reserved.cpuUnits
  const before = await reserved()
  const peaks: number[] = []
  const watch = setInterval(() => void reserved().then((units) => peaks.push(units)), 1)
  await operations.stopProcess('shop', first!.id, control)
  clearInterval(watch)
  const [row] = await store.operations.list('shop', 1)
  assert.deepEqual([row?.kind, row?.actor, row?.status], ['stop', 'test', 'complete'])
  const now = (await operations.listProcesses('shop', {}, control)).map(({ id }) => id)
  assert.deepEqual([now.length, now.includes(first!.id), now.includes(second!.id)], [2, false, true])
  assert.ok(
    Math.max(...peaks) <= before + 128,
    `${Math.max(...peaks)} units of ${before}, one copy more at most`,
  )
})

test('a stop that does not fit is refused, and nothing is stopped', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy(
    'shop',
    shop('serve 3000').replace('ports:', 'cpu_shares: 2048\n    deploy: { replicas: 2 }\n    ports:'),
  )
  const [first] = await operations.listProcesses('shop', {}, control)
  await assert.rejects(operations.stopProcess('shop', first!.id, control), { code: 'capacity' })
  assert.equal((await operations.listProcesses('shop', {}, control)).length, 2)
})

test('whoever says so promotes without the release command', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const release = await rack.build('shop', shop('serve 3000'))
  await operations.promoteRelease('shop', release, { releaseCommand: false }, control)
  assert.equal(await runs(rack), 0)
  await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  assert.equal(await runs(rack), 1)
})

test('a release command that is for new builds runs until a release of the build was live, and not again', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  const promote = async (release: string) =>
    await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  const labels = 'labels: { rack.release.command: print migrating, rack.release.on: build }'
  const compose = (words: string) =>
    `services: { web: { image: "nginx:1", command: ${words}, ports: ["80:3000"], ${labels} } }`
  await operations.createApp('shop')
  const broken = await rack.build('shop', compose('exit 3'))
  for (const expected of [1, 2]) {
    await assert.rejects(promote(broken), { code: 'deploy-failed' })
    assert.equal(await runs(rack), expected, 'no release of the broken build was ever live')
  }
  const first = await rack.deploy('shop', compose('serve 3000'))
  assert.equal(await runs(rack), 3)
  const release = await operations.changeEnvironment('shop', { set: { A: '1' }, unset: [], replace: false })
  await promote(release.id)
  await promote(first)
  await operations.rollbackRelease('shop', release.id, { releaseCommand: true }, control)
  assert.equal(await runs(rack), 3, 'the same build was live before')
  const second = await rack.deploy('shop', compose('serve 3000'))
  assert.equal(await runs(rack), 4, 'another build')
  await promote(first)
  await promote(second)
  assert.equal(await runs(rack), 4)
})

const large = (words: string, count: number) => `
services:
  web:
    image: nginx:1
    command: ${words}
    mem_limit: 2g
    ports: ["80:3000"]
    deploy: { replicas: ${count} }
`

test('a change whose whole surge has no room is made in waves that have; one that has none for a copy is refused', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, store, engine } = rack
  await operations.createApp('shop')
  // Of 8 GiB three copies leave room for one more.
  await rack.deploy('shop', large('serve 3000', 3))
  const before = await engine.processes({ owner: appOwner('shop') }, control)
  const release = await rack.deploy('shop', large('print two serve 3000', 3))
  const [promote] = await store.operations.list('shop', 1)
  assert.deepEqual(promote?.intent.surges, { web: { held: 3, beside: 1 } })
  assert.equal(promote?.intent.reserved?.memoryBytes, 4 * 2 * 2 ** 30)
  const isMoved = async () =>
    (await engine.processes({ owner: appOwner('shop') }, control)).every(
      (running) => running.release === release,
    )
  await until(isMoved, { deadlineMs: 5000, intervalMs: 1, what: 'the old copies to be gone' })
  const now = await engine.processes({ owner: appOwner('shop') }, control)
  assert.deepEqual([now.length, now.filter(({ id }) => before.some((old) => old.id === id))], [3, []])

  const full = await rack.build('shop', large('print three serve 3000', 4))
  await operations.scaleProcesses('shop', { web: { count: 4 } }, control)
  const refused = operations.promoteRelease('shop', full, { releaseCommand: true }, control)
  await assert.rejects(refused, (error: RackError) => {
    assert.match(error.message, /web: 5 × .* at the busiest moment, 4 held already/)
    assert.match(error.message, /short of 0 cpu units and 2 GiB/)
    return error.code === 'capacity'
  })
})

test('what a change has made for all of the rack is said in its plan, and by the command before it begins', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine, progress } = rack
  await operations.createApp('shop')
  const release = await rack.build('shop', shop('serve 3000'))
  engine.additions = async () => ['a balancer is made']
  const deploy = engine.deploy.bind(engine)
  const said = () => progress.some((each) => each.type === 'log' && each.text === 'a balancer is made')
  engine.deploy = async (...args) => {
    assert.ok(said())
    return await deploy(...args)
  }
  const { additions } = await operations.planPromotion('shop', release, control)
  assert.deepEqual([additions, said()], [['a balancer is made'], false])
  await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  assert.ok(said())
})
