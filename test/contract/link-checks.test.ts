import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { startMemoryRack, tester } from '../support/memory-rack.ts'

const compose = `services:
  web:
    image: shop
    command: serve
    links: ["redis:queue"]
  redis: { image: store, command: serve 6379, expose: [6379], environment: { LINK_SCHEME: redis } }
`

test('each link is opened from a copy that has it, and logged in to; one that cannot be used is told', async () => {
  await using rack = await startMemoryRack()
  const { operations, engine, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', compose)
  await operations.createService({ name: 'main', type: 'postgres' }, control)
  await operations.createService({ name: 'far', type: 'url', url: 'tcp://a:b@127.0.0.1:9/x' }, control)
  const { release } = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await operations.promoteRelease('shop', release.id, { releaseCommand: true }, control)
  assert.deepEqual(await operations.listProcessLinks({}), [
    { app: 'shop', process: 'web', alias: 'queue', target: 'redis', scheme: 'redis', port: 6379 },
  ])
  const checked = await operations.checkLinks({}, control)
  const shown = () =>
    checked.map(({ alias, kind, process: type, from, connectMs, loginMs, problem }) => {
      assert.ok(from !== null && connectMs !== null)
      return [alias, kind, type, loginMs !== null, problem]
    })
  assert.deepEqual(shown(), [
    ['db', 'service', 'web', true, null],
    ['queue', 'process', 'web', false, null],
  ])

  // Behind the rack's back: the server has forgotten the login, a copy is gone, and nobody is at the URL.
  engine.world.servers.get('_main')!.logins.clear()
  const far = await operations.createLink('shop', { service: 'far' }, control)
  await operations.promoteRelease('shop', far.release.id, { releaseCommand: true }, control)
  const copies = await engine.processes({ owner: appOwner('shop'), type: 'redis' }, control)
  for (const { id } of copies) await engine.byHand.remove(id)
  const problems = (await operations.checkLinks({ app: 'shop' }, control)).map(({ alias, problem }) => [
    alias,
    problem === null,
  ])
  assert.deepEqual(problems, [
    ['db', false],
    ['far', false],
    ['queue', false],
  ])
})

test('what another rack shares is opened where that lets others in, when no process runs that could', async () => {
  await using near = await startMemoryRack()
  await using far = await startMemoryRack()
  await using door = await openDoor()
  await near.operations.createService({ name: 'main', type: 'postgres' }, near.control)
  const asked = { address: `127.0.0.1:${door.port}` }
  const { line } = await near.operations.shareService('main', asked, near.control)
  const { operations, engine, control } = far
  await operations.createApp('shop')
  await far.deploy('shop', 'services:\n  web: { image: shop, command: serve }\n')
  await operations.createService({ name: 'data', type: 'shared', share: line }, control)
  const { release } = await operations.createLink('shop', { service: 'data', alias: 'db' }, control)
  await operations.promoteRelease('shop', release.id, { releaseCommand: true }, control)
  for (const { id } of await engine.processes({ owner: appOwner('shop') }, control))
    await engine.byHand.remove(id)
  const [checked] = await operations.checkLinks({}, control)
  assert.deepEqual([checked?.alias, checked?.from, checked?.problem], ['db', null, null])

  // An engine that does not tell what runs is a problem of each link, and not of the question.
  engine.processes = async () => {
    throw new RackError('engine-failed', 'the engine does not say')
  }
  const problems = (await operations.checkLinks({}, control)).map(({ problem }) => problem)
  assert.deepEqual(problems, ['the engine does not say'])
})

/** A port that takes connections. */
async function openDoor() {
  const server = createServer((socket) => void socket.on('error', () => undefined).destroy()).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: async () => void server.close() }
}

test('a caller of some apps opens the links of these alone', async () => {
  await using rack = await startMemoryRack()
  const { operations, room, control } = rack
  for (const app of ['shop', 'blog']) {
    await operations.createApp(app)
    await rack.deploy(app, compose)
  }
  const scoped = room.operations.as({ ...tester, apps: ['blog'] })
  const apps = (await scoped.checkLinks({}, control)).map(({ app }) => app)
  assert.deepEqual(apps, ['blog'])
  assert.deepEqual(
    (await scoped.listProcessLinks({})).map(({ app }) => app),
    ['blog'],
  )
  const reader = room.operations.as({ ...tester, role: 'read' })
  await assert.rejects(reader.checkLinks({}, control), /has the role read/)
})

test('a link to a process of an image that all know says who logs in by the variables of that process', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  await operations.createApp('shop')
  await operations.changeEnvironment('shop', {
    set: { POSTGRES_PASSWORD: 'p@ss' },
    unset: [],
    replace: false,
  })
  const db = (more: string) => `services:
  web: { image: shop, command: serve, links: [db] }
  db:
    image: postgres:15
    expose: [5432]
    environment: { POSTGRES_USER: shop, POSTGRES_PASSWORD: null${more} }
`
  const urlOf = async (text: string) => {
    await rack.deploy('shop', text)
    const variables = await operations.processEnvironment('shop', 'web')
    return variables.find(({ name }) => name === 'DB_URL')?.value
  }
  assert.equal(await urlOf(db('')), 'postgres://shop:p%40ss@db:5432/shop')
  const said = await urlOf(db(', LINK_PATH: /other, LINK_PORT: "6000"'))
  assert.equal(said, 'postgres://shop:p%40ss@db:6000/other', 'what it says itself goes before')
})
