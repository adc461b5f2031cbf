import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'

const compose = `services:
  web:
    image: shop
    command: sleep
    environment:
      DATABASE_URL: "postgres://shop:own@db/shop"
      GREETING: hello
  db:
    image: store
    command: sleep
    environment: [NEEDED]
    volumes: ["data:/data"]
volumes:
  data:
`
const first = 'tcp://app:first-4711@127.0.0.1:9/shop'
const second = 'tcp://app:second-4711@127.0.0.1:9/shop'

const fails = (code: ErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RackError, String(error))
  assert.equal(error.code, code, error.message)
  if (message) assert.match(`${error.message}\n${error.hint}`, message)
  assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.details]), /4711/)
  return true
}

async function openShop() {
  const rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await operations.changeEnvironment('shop', { set: { NEEDED: '1' }, unset: [], replace: false })
  const old = await rack.deploy('shop', compose)
  await operations.createService({ name: 'main', type: 'url', url: first }, control)
  const promote = async (release: string) =>
    await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  const [urlOf, running] = [liveUrl(rack), runningTypes(rack)]
  return {
    rack,
    operations,
    control,
    old,
    promote,
    urlOf,
    running,
    [Symbol.asyncDispose]: rack[Symbol.asyncDispose],
  }
}

/** The variable of a link as the live plan gives it to `web`. */
const liveUrl =
  ({ engine }: MemoryRack) =>
  (name = 'DB_URL') =>
    engine.livePlan('shop')?.processes.find(({ type }) => type === 'web')?.environment[name]

const runningTypes =
  ({ engine, control }: MemoryRack) =>
  async () =>
    (await engine.processes({ owner: appOwner('shop') }, control)).map(({ type }) => type).sort()

test('a process that a service stands for is not started while linked, and is back when unlinked', async () => {
  await using world = await openShop()
  const { operations, control, promote, urlOf, running } = world
  const linked = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  assert.equal(linked.release.description, 'link add:db')
  assert.deepEqual(linked.notes, [
    'the process db is a stand-in: it is not started while the app is linked; its data stays (data)',
    "web: DATABASE_URL (docker-compose.yml:6) names db in a URL of its own, whose name and password are not the link's",
  ])
  assert.deepEqual(await running(), ['db', 'web'], 'a link is a release, and nothing before it is promoted')
  // What the stand-in wants is not asked for while it is one.
  const bare = await operations.changeEnvironment('shop', { set: {}, unset: ['NEEDED'], replace: false })
  await promote(bare.id)
  assert.deepEqual(await running(), ['web'])
  assert.equal(urlOf(), first)
  const variables = await operations.processEnvironment('shop', 'web')
  const found = variables.find(({ name }) => name === 'DB_PASSWORD')
  assert.deepEqual([found?.from, found?.value], ['service link', 'first-4711'])

  const unlinked = await operations.deleteLink('shop', 'main')
  assert.deepEqual(unlinked.notes, ['the process db is started again, with its data'])
  await assert.rejects(promote(unlinked.release.id), fails('environment-missing'))
  const whole = await operations.changeEnvironment('shop', {
    set: { NEEDED: '1' },
    unset: [],
    replace: false,
  })
  await promote(whole.id)
  assert.deepEqual(await running(), ['db', 'web'])
  assert.equal(urlOf(), undefined)
  const volumes = await operations.listVolumes({ app: 'shop', sizes: false }, world.control)
  assert.deepEqual(
    volumes.map(({ name, usedBy }) => [name, usedBy]),
    [['data', ['db']]],
  )
})

test('a rollback has the links back, with the URL of that time; a restart runs with what was live', async () => {
  await using world = await openShop()
  const { operations, rack, control, old, promote, urlOf, running } = world
  const { release } = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await promote(release.id)
  const changed = await operations.setServiceUrl('main', { url: second }, control)
  assert.deepEqual(
    changed.releases.map(({ app, description }) => [app, description]),
    [['shop', 'link change:main']],
  )
  await operations.restartApp('shop', null, control)
  assert.equal(urlOf(), first, 'nothing of a release changes by itself')
  await promote(changed.releases[0]!.id)
  assert.equal(urlOf(), second)

  await operations.rollbackRelease('shop', release.id, { releaseCommand: true }, control)
  assert.equal(urlOf(), first)
  assert.ok(
    rack.progress.some(
      (said) => said.type === 'log' && said.text.includes('as it is now: rack links create main'),
    ),
  )
  await operations.rollbackRelease('shop', old, { releaseCommand: true }, control)
  assert.deepEqual(await running(), ['db', 'web'])
  const diff = await operations.diffReleases('shop', { from: old, to: release.id })
  assert.deepEqual(diff.links, [{ alias: 'db', from: null, to: 'main' }])

  await promote(changed.releases[0]!.id)
  const room = await rack.restart()
  assert.ok(await room.recover(control))
  assert.equal(urlOf(), second)
})

test('the same URL again changes nothing, and neither does the same link', async () => {
  await using world = await openShop()
  const { operations, control } = world
  const linked = await operations.createLink('shop', { service: 'main' }, control)
  const again = await operations.createLink('shop', { service: 'main' }, control)
  assert.deepEqual([linked.isNew, again.isNew, again.release.id], [true, false, linked.release.id])
  const changed = await operations.setServiceUrl('main', { url: `${first}\n` }, control)
  assert.deepEqual([changed.releases, changed.service.version], [[], linked.release.links[0]?.version])
  assert.match(changed.warning ?? '', /^127\.0\.0\.1:9 does not answer from here: the connection is refused$/)
})

test('a release whose service is gone is not promoted, not rolled back to and not run from', async () => {
  await using world = await openShop()
  const { operations, control, promote, running } = world
  const { release } = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await assert.rejects(
    operations.deleteService('main', { volumes: false }, control),
    fails('conflict', /shop \(as db\)[\s\S]*rack links delete db/),
  )
  await operations.deleteLink('shop', 'db')
  await operations.deleteService('main', { volumes: false }, control)
  const gone = fails('conflict', /is no more: main \(as db\)[\s\S]*services create url --name main/)
  await assert.rejects(promote(release.id), gone)
  const before = await operations.listReleases('shop', 100)
  await assert.rejects(
    operations.rollbackRelease('shop', release.id, { releaseCommand: true }, control),
    gone,
  )
  assert.deepEqual(await operations.listReleases('shop', 100), before, 'no release that cannot run')
  const run = { type: 'web', command: ['sleep'], release: release.id, timeoutMs: null }
  await assert.rejects(operations.runProcess('shop', run, null, control), gone)
  assert.deepEqual(await running(), ['db', 'web'])
})

test('names that clash are refused, and what hides a link is told', async () => {
  await using world = await openShop()
  const { operations, rack, control, promote } = world
  await operations.createService({ name: 'other', type: 'url', url: first }, control)
  await operations.createLink('shop', { service: 'main', alias: 'data' }, control)
  await assert.rejects(
    operations.createLink('shop', { service: 'other', alias: 'data' }, control),
    fails('exists', /--as/),
  )
  await assert.rejects(
    operations.createLink('shop', { service: 'other', alias: 'No_Name' }, control),
    fails('invalid'),
  )
  await assert.rejects(operations.createLink('shop', { service: 'none' }, control), fails('not-found'))
  await assert.rejects(operations.createLink('none', { service: 'main' }, control), fails('not-found'))
  await assert.rejects(operations.deleteLink('shop', 'none'), fails('not-found'))
  const own = await operations.changeEnvironment('shop', {
    set: { DATA_URL: 'mine' },
    unset: [],
    replace: false,
  })
  const note =
    "the app's own DATA_URL hides what the link gives; take it out: rack env unset DATA_URL --app shop"
  await promote(own.id)
  assert.ok(rack.progress.some((said) => said.type === 'log' && said.text === note))
  assert.deepEqual((await operations.createLink('shop', { service: 'main', alias: 'data' }, control)).notes, [
    note,
  ])

  await operations.createApp('blog')
  await rack.deploy(
    'blog',
    'services:\n  web: { image: shop, links: ["cache:store"] }\n  cache: { image: shop, command: serve, expose: [1] }\n',
  )
  await assert.rejects(
    operations.createLink('blog', { service: 'main', alias: 'store' }, control),
    fails('conflict', /web links the process cache as "store" already/),
  )
  // The name by which others know a stand-in leads to the service too.
  const { release } = await operations.createLink('blog', { service: 'main', alias: 'cache' }, control)
  await operations.promoteRelease('blog', release.id, { releaseCommand: true }, control)
  const web = rack.engine.livePlan('blog')?.processes.find(({ type }) => type === 'web')
  assert.deepEqual([web?.environment['STORE_URL'], web?.environment['CACHE_URL']], [first, first])
})

test('services are listed with who has them, never with a password; a URL is revealed on its own', async () => {
  await using world = await openShop()
  const { operations, control } = world
  await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  const [main] = await operations.listServices(control)
  assert.deepEqual(main?.address, { scheme: 'tcp', host: '127.0.0.1', port: 9, path: '/shop' })
  assert.deepEqual(
    main?.links.map(({ app, alias }) => [app, alias]),
    [['shop', 'db']],
  )
  const told = [
    await operations.listServices(control),
    await operations.getService('main', control),
    await operations.listLinks({}),
  ]
  const promotion = await operations.planPromotion(
    'shop',
    (await operations.listReleases('shop', 1))[0]!.id,
    control,
  )
  assert.doesNotMatch(JSON.stringify([told, promotion, await operations.listAudit({ limit: 50 })]), /4711/)
  assert.deepEqual(await operations.revealService('main'), { url: first })
  const audited = (await operations.listAudit({ limit: 50 }))
    .map(({ verb, subject }) => `${verb} ${subject}`)
    .join('\n')
  assert.match(audited, /^revealService main\n(?:.*\n)*createService main$/m)
  const bad = operations.createService({ name: 'x', type: 'urll', url: first }, control)
  await assert.rejects(bad, fails('invalid', /did you mean "url"\?/))
  const taken = operations.createService({ name: 'main', type: 'url', url: first }, control)
  await assert.rejects(taken, fails('exists', /set-url main/))
})

test('who may only read, or reaches some apps alone, reveals and changes nothing of services', async () => {
  await using world = await openShop()
  const { room, control } = world.rack
  const reader = room.operations.as({ ...tester, role: 'read' })
  assert.equal((await reader.listServices(control)).length, 1)
  await assert.rejects(reader.revealService('main'), fails('forbidden'))
  await assert.rejects(reader.createLink('shop', { service: 'main' }, control), fails('forbidden'))
  await world.operations.createLink('shop', { service: 'main' }, control)
  const scoped = room.operations.as({ ...tester, apps: ['blog'] })
  assert.deepEqual(await scoped.listLinks({}), [])
  await assert.rejects(scoped.createLink('shop', { service: 'main' }, control), fails('forbidden'))
  await assert.rejects(scoped.deleteService('main', { volumes: false }, control), fails('forbidden'))
})

test('an app with links is deleted only with them, and the service stays', async () => {
  await using world = await openShop()
  const { operations, control } = world
  await operations.createLink('shop', { service: 'main' }, control)
  await assert.rejects(
    operations.deleteApp('shop', { volumes: true }, control),
    fails('conflict', /shop links main[\s\S]*--unlink/),
  )
  await operations.deleteApp('shop', { volumes: true, unlink: true }, control)
  assert.deepEqual((await operations.getService('main', control)).links, [])
})
