import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { awsFeatures } from '../../src/domain/aws-features.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import type { Owner } from '../../src/domain/owner.ts'
import { until } from '../../src/lib/poll.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import { readShareLine, writeShareLine } from '../../src/operations/services/sharing/share-line.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'
import { serviceRun } from '../support/service-run.ts'

const owner: Owner = { kind: 'service', name: 'main' }
const url = 'tcp://app:secret-4711@127.0.0.1:9/shop'

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RackError, String(error))
  assert.match(`${error.code}: ${error.message}\n${error.hint}`, message)
  assert.equal(error.code, code)
  assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.details]), /4711|rack-share:1/)
  return true
}

const patience = { deadlineMs: 60_000 }

/** A rack with services of an image, which knows no users: whoever has one logs in as all do. */
async function openRack({ services = ['main'] } = {}) {
  const rack = await startMemoryRack()
  const run = serviceRun()
  const row = { type: 'image', status: 'running', run } as const
  for (const name of services) await rack.store.services.create({ name, ...row }, imageAddress(name, run))
  assert.ok(await rack.room.recover(rack.control))
  return rack
}

/** Looks after what runs and is shared, until it is disposed of. */
function keep({ room, control }: MemoryRack): AsyncDisposable {
  const life = new AbortController()
  const kept = room.keepHealed({ ...control, signal: life.signal })
  return {
    async [Symbol.asyncDispose]() {
      life.abort()
      await kept
    },
  }
}

/** A share that a daemon has begun, and died. */
async function leave({ store }: MemoryRack, consumer: string): Promise<void> {
  const { version } = (await store.services.get('main'))!
  const rest = { serial: '4f', allow: [], address: 'there:1', expires: null }
  await store.shares.begin(async () => ({ service: 'main', consumer, version, ...rest }))
}

const sharedWith = ({ engine }: MemoryRack) =>
  engine.world.plans.get('_main')?.processes[0]?.sharedWith?.map(({ id }) => id) ?? []
const entranceOf = ({ engine }: MemoryRack) => engine.world.entrance
const running = async ({ engine, control }: MemoryRack) =>
  (await engine.processes({ owner }, control)).map(({ id }) => id)

test('a service is shared, with a line that leads there, until it is taken back; it never stops', async () => {
  await using rack = await openRack()
  const { operations, control } = rack
  const before = await running(rack)
  assert.equal(entranceOf(rack), null, 'nobody comes in before the first share')
  const asked = { consumer: 'office', address: 'there:8443', allow: ['10.0.0.0/8'], expires: '30d' }
  const { share, line } = await operations.shareService('main', asked, control)
  const { end, address, service, expires } = readShareLine(line)
  assert.deepEqual(
    [end.id, end.host, end.port, service, expires],
    [share.id, 'there', 8443, 'main', share.expires],
  )
  assert.deepEqual([address.scheme, address.port], ['tcp', 9000])
  assert.match(end.certificate, /BEGIN CERTIFICATE[\s\S]*BEGIN PRIVATE KEY/)
  assert.deepEqual(sharedWith(rack), [share.id])
  const [told] = await operations.listShares()
  assert.deepEqual([told?.consumer, told?.status, told?.allow], ['office', 'open', ['10.0.0.0/8']])
  assert.equal(entranceOf(rack)?.port, 7443)

  await operations.shareService('main', {}, control)
  const list = entranceOf(rack)?.revoked
  await assert.rejects(operations.unshareService('main', {}, control), fails('conflict', /office, rack-1/))
  await operations.unshareService('main', { consumer: 'office' }, control)
  assert.notEqual(entranceOf(rack)?.revoked, list, 'its certificate is refused')
  assert.deepEqual(
    (await operations.listShares()).map(({ consumer }) => consumer),
    ['rack-1'],
  )
  await operations.unshareService('main', {}, control)
  assert.deepEqual(sharedWith(rack), [])
  assert.deepEqual(await running(rack), before)
})

test('what cannot be shared or taken back is refused with what to do', async () => {
  await using rack = await openRack()
  const { operations, control } = rack
  await operations.createService({ name: 'hosted', type: 'url', url }, control)
  await operations.shareService('main', { consumer: 'office' }, control)
  const share = (service: string, asked = {}) => operations.shareService(service, asked, control)
  await assert.rejects(share('none'), fails('not-found', /there is no service "none"/))
  await assert.rejects(share('hosted'), fails('conflict', /does not run here[\s\S]*--reveal/))
  await assert.rejects(
    share('main', { consumer: 'office' }),
    fails('exists', /already[\s\S]*unshare main --consumer office/),
  )
  await assert.rejects(share('main', { consumer: 'The Office' }), fails('invalid', /cannot be the name/))
  await assert.rejects(share('main', { allow: ['all'] }), fails('invalid', /no address or network/))
  const unshare = (service: string, consumer?: string) =>
    operations.unshareService(service, { consumer }, control)
  await assert.rejects(unshare('hosted'), fails('not-found', /shared with nobody/))
  await assert.rejects(unshare('main', 'branch'), fails('not-found', /office, and not with branch/))
  const deleting = operations.deleteService('main', { volumes: true }, control)
  await assert.rejects(deleting, fails('conflict', /shared with office[\s\S]*unshare main --consumer office/))
  assert.equal((await running(rack)).length, 1)
  await unshare('main')
  await operations.deleteService('main', { volumes: true }, control)
})

test('what a dead daemon has left half shared is taken back, and a share ends when its time is over', async () => {
  await using rack = await openRack()
  const { operations, control } = rack
  const { share } = await operations.shareService('main', { consumer: 'office', expires: '30d' }, control)
  await leave(rack, 'branch')
  const later = async (now: () => Date) => {
    const room = await rack.restart({ now })
    assert.ok(await room.recover(control))
    return room.operations.as(tester)
  }
  const next = await later(() => new Date())
  assert.deepEqual(
    (await next.listShares()).map(({ consumer }) => consumer),
    ['office'],
  )
  assert.deepEqual(sharedWith(rack), [share.id])
  const last = await later(() => new Date(Date.now() + 31 * 86_400_000))
  assert.deepEqual(await last.listShares(), [])
  assert.deepEqual(sharedWith(rack), [])
})

test('a share that could not be closed is shown as such, and closed by the next look', async () => {
  await using rack = await openRack()
  const { operations, engine, control } = rack
  await operations.shareService('main', { consumer: 'office' }, control)
  const openEntrance = engine.openEntrance.bind(engine)
  engine.openEntrance = async () => {
    throw new RackError('engine-failed', 'the router does not take it')
  }
  const unshare = () => operations.unshareService('main', {}, control)
  await assert.rejects(unshare(), fails('engine-failed', /does not take it/))
  await assert.rejects(
    unshare(),
    fails('engine-failed', /does not take it/),
    'whoever asks again tries again',
  )
  assert.equal((await operations.listShares())[0]?.status, 'closing')
  engine.openEntrance = openEntrance
  await using _keeper = keep(rack)
  await until(async () => (await operations.listShares()).length === 0, {
    ...patience,
    what: 'the share to be closed',
  })
  assert.deepEqual(sharedWith(rack), [])
})

test('what is being made while others end is not ended along with them', async () => {
  await using rack = await openRack({ services: ['main', 'other'] })
  const { operations, store, engine, control } = rack
  const [held, gone] = [
    { main: Promise.withResolvers<void>(), other: Promise.withResolvers<void>() },
    { main: Promise.withResolvers<void>(), other: Promise.withResolvers<void>() },
  ]
  const deploy = engine.deploy.bind(engine)
  engine.deploy = async (change, own) => {
    const name = change.plan.owner.name as keyof typeof held
    held[name].resolve()
    await gone[name].promise
    return await deploy(change, own)
  }
  await leave(rack, 'first')
  const making = operations.shareService('other', { consumer: 'office' }, control)
  await held.other.promise
  await leave(rack, 'last')
  await using _keeper = keep(rack)
  await held.main.promise
  gone.other.resolve()
  await making
  gone.main.resolve()
  const left = async () =>
    (await store.shares.list()).some(({ consumer, status }) => consumer === 'last' && status !== 'revoked')
  await until(async () => !(await left()), { ...patience, what: 'the last share to end' })
  assert.deepEqual(
    (await operations.listShares()).map(({ consumer, status }) => [consumer, status]),
    [['office', 'open']],
  )
})

test('shares that are the first of their rack at once are signed by one authority', async () => {
  await using rack = await openRack({ services: ['main', 'other'] })
  const { operations, store, control } = rack
  const keys = store.shares.keys.bind(store.shares)
  const [both, asked] = [Promise.withResolvers<void>(), { times: 0 }]
  store.shares.keys = async () => {
    const known = await keys()
    if (++asked.times === 2) both.resolve()
    await both.promise
    return known
  }
  const made = await Promise.all(['main', 'other'].map((name) => operations.shareService(name, {}, control)))
  const authority = new X509Certificate((await keys())!.authority.certificate)
  for (const { line } of made) {
    const { certificate } = readShareLine(line).end
    assert.ok(new X509Certificate(certificate).verify(authority.publicKey), 'it comes in')
  }
})

test('a share that is refused has made no login', async () => {
  await using rack = await startMemoryRack()
  const { operations, store, control } = rack
  await operations.createService({ name: 'main', type: 'postgres' }, control)
  await operations.shareService('main', { consumer: 'office' }, control)
  const before = await store.services.versions('main')
  await assert.rejects(
    operations.shareService('main', { consumer: 'office' }, control),
    fails('exists', /already/),
  )
  assert.deepEqual(await store.services.versions('main'), before)
})

test('another port is taken for the entrance at once, and a wrong one is refused', async () => {
  await using rack = await openRack()
  const { operations, control } = rack
  await operations.shareService('main', {}, control)
  await operations.changeParameters({ 'shares.port': '8443', 'shares.bind': '127.0.0.1' }, control)
  assert.deepEqual([entranceOf(rack)?.port, entranceOf(rack)?.bind], [8443, '127.0.0.1'])
  for (const value of ['0', '70000', 'x'])
    await assert.rejects(
      operations.changeParameters({ 'shares.port': value }, control),
      fails('invalid', /port/),
    )
  const wrong = operations.changeParameters({ 'shares.bind': 'all' }, control)
  await assert.rejects(wrong, fails('invalid', /an address/))
})

test('a rack takes what another shares, and links it like any other; its key is nowhere to be seen', async () => {
  await using near = await openRack()
  await using far = await startMemoryRack()
  const { operations, control } = far
  const place = { address: '127.0.0.1:9' }
  const { line, share } = await near.operations.shareService('main', place, near.control)
  const created = await operations.createService({ name: 'data', type: 'shared', share: line }, control)
  assert.match(created.warning ?? '', /127\.0\.0\.1:9 does not answer from here/)
  assert.deepEqual(created.service.address, { scheme: 'tcp', host: '127.0.0.1', port: 9, path: '' })
  await operations.createApp('shop')
  await far.deploy('shop', 'services:\n  web: { image: shop, command: sleep }\n')
  const { release } = await operations.createLink('shop', { service: 'data', alias: 'db' }, control)
  await operations.promoteRelease('shop', release.id, { releaseCommand: true }, control)
  const [web] = far.engine.livePlan('shop')?.processes ?? []
  assert.equal(web?.environment.DB_URL, 'tcp://db:9000')
  const [led] = web?.shared ?? []
  assert.deepEqual([led?.service, led?.names, led?.port, led?.end.id], ['data', ['db'], 9000, share.id])

  const { plan } = await operations.planPromotion('shop', release.id, control)
  assert.doesNotMatch(JSON.stringify(plan), /PRIVATE KEY/)
  const told = [
    await operations.listServices(control),
    await operations.listLinks({}),
    await operations.listAudit({ limit: 100 }),
  ]
  assert.doesNotMatch(JSON.stringify(told), /PRIVATE KEY|rack-share/)
  await assert.rejects(operations.revealService('data'), fails('conflict', /no URL of its own/))
  await assert.rejects(
    operations.rotateLink('shop', 'db', control),
    fails('conflict', /set-url data --from LINE/),
  )
  await assert.rejects(
    operations.deleteService('data', { volumes: false }, control),
    fails('conflict', /linked by shop/),
  )

  // The line of another share is another version, and the same line is none.
  const same = await operations.setServiceUrl('data', { share: line }, control)
  assert.deepEqual(same.releases, [])
  const other = await near.operations.shareService('main', { ...place, consumer: 'next' }, near.control)
  const changed = await operations.setServiceUrl('data', { share: other.line }, control)
  assert.deepEqual(
    changed.releases.map(({ app }) => app),
    ['shop'],
  )
  await assert.rejects(
    operations.setServiceUrl('data', { url }, control),
    fails('invalid', /given by a line/),
  )
})

test('a line that is none, was cut, or has expired makes no service', async () => {
  await using near = await openRack()
  await using far = await startMemoryRack()
  const { line } = await near.operations.shareService('main', { address: '127.0.0.1:9' }, near.control)
  const take = (share: string) =>
    far.operations.createService({ name: 'data', type: 'shared', share }, far.control)
  await assert.rejects(take(''), fails('invalid', /there is no line/))
  await assert.rejects(take(url), fails('invalid', /no line of rack services share/))
  await assert.rejects(take(line.slice(0, -3)), fails('invalid', /was cut/))
  const old = writeShareLine({ ...readShareLine(line), expires: '2020-01-01T00:00:00.000Z' })
  await assert.rejects(take(old), fails('gone', /has expired \(2020-/))
  const mixed = far.operations.createService({ name: 'data', type: 'shared', url }, far.control)
  await assert.rejects(mixed, fails('invalid', /given by a line/))
  assert.deepEqual(await far.operations.listServices(far.control), [])
})

test('an engine that cannot share says why, both ways', async () => {
  await using rack = await openRack()
  const { line } = await rack.operations.shareService('main', {}, rack.control)
  const engine = { ...rack.engine, features: awsFeatures }
  const operations = (await rack.restart({ engine })).operations.as(tester)
  const refusal = fails('unsupported', /no router of its own/)
  await assert.rejects(operations.shareService('main', {}, rack.control), refusal)
  const taking = operations.createService({ name: 'other', type: 'shared', share: line }, rack.control)
  await assert.rejects(taking, refusal)
})
