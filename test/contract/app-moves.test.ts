import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppExportScope } from '../../src/domain/app-archive.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { pulled } from '../../src/lib/pulled.ts'
import { readTar } from '../../src/lib/tar.ts'
import { tarEnd, tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { compressZstd, decompressZstd } from '../../src/lib/zstd.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { keepStandIn } from '../../src/operations/volume-data/current-volumes.ts'
import {
  packBackup,
  readBackup,
  type AboutBackup,
} from '../../src/operations/services/backup/backup-archive.ts'
import { dieAfter } from '../support/dying-parts.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'

const compose = (word: string) => `services:
  web: { image: shop, ports: ["80:3000"], command: print ${word} serve, volumes: ["data:/data"] }
volumes: { data: {} }
`
const scope: AppExportScope = { images: 'live', volumes: true }

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* tarOf(text: string): AsyncGenerator<Uint8Array> {
  yield tarHead({ name: 'volume', type: 'directory', mode: 0o755, size: 0, modified: new Date(0) })
  yield tarHead({ name: 'volume/text', type: 'file', mode: 0o600, size: text.length, modified: new Date(0) })
  yield Buffer.from(text)
  yield tarPadding(text.length)
  yield tarEnd()
}

async function textIn({ engine, control }: MemoryRack, app: string, name: string): Promise<string> {
  const stream = pulled<Uint8Array>((out) => engine.copyVolume(appOwner(app), name, { out }, control))
  let text = ''
  for await (const { content } of readTar(stream))
    text += Buffer.concat(await Array.fromAsync(content)).toString()
  return text
}

async function exported({ operations, control }: MemoryRack, more: Partial<AppExportScope> = {}) {
  const chunks: Uint8Array[] = []
  const out = async (chunk: Uint8Array) => void chunks.push(chunk)
  await operations.exportApp('shop', { ...scope, ...more }, out, control)
  return Buffer.concat(chunks)
}

/** A rack with an app of two releases, data, a secret, a domain and two copies. */
async function openOrigin() {
  const rack = await startMemoryRack()
  const { operations, engine, control } = rack
  await operations.createApp('shop')
  await operations.changeEnvironment('shop', { set: { SECRET: 'a value' }, unset: [], replace: false })
  const releases = [await rack.deploy('shop', compose('one')), await rack.deploy('shop', compose('two'))]
  await operations.scaleProcesses('shop', { web: { count: 2 } }, control)
  await operations.addDomain('shop', { name: 'shop.example.com', process: null }, control)
  await engine.removeVolume(appOwner('shop'), 'data', control).catch(() => undefined)
  await engine.copyVolume(appOwner('shop'), 'data', { in: tarOf('what I wrote') }, control)
  return { rack, releases, [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose]() }
}

const bringIn = async (
  { operations, control }: Pick<MemoryRack, 'operations' | 'control'>,
  archive: Uint8Array,
  request: { name?: string; isNext?: boolean } = {},
) => await operations.importApp(piece(archive), { isNext: false, ...request }, control)

/** Whether nothing of an import is there. */
async function assertNothingOf(rack: MemoryRack, where: string): Promise<void> {
  const { store, engine, objects, control } = rack
  assert.equal(await store.apps.get('shop'), null, where)
  assert.deepEqual(await engine.volumes({ owner: appOwner('shop') }, control), [], where)
  assert.deepEqual(await Array.fromAsync(objects.list(''), ({ key }) => key), [], where)
  assert.deepEqual([...engine.world.images], [], where)
  assert.deepEqual(await store.domains.list(), [], where)
  assert.deepEqual(await store.operations.running(), [], where)
}

test('an app goes to another rack with its releases, environment, scale, domain and data, and goes back there', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  const { operations, control } = target
  const contents = await origin.rack.operations.planAppExport('shop', scope, control)
  assert.ok(contents.lacks.some((lack) => lack.startsWith('certificates (shop.example.com)')))
  assert.ok(contents.lacks.some((lack) => lack.includes('web') && lack.includes('meanwhile')))
  const archive = await exported(origin.rack, { images: 'all' })
  const made = await bringIn(target, archive, { isNext: true })
  const [first, second] = origin.releases
  assert.deepEqual([made.app, made.release, made.volumes], ['shop', second, ['data']])
  assert.deepEqual(made.notes, [])
  const before = await operations.getApp('shop', control)
  assert.deepEqual([before.status, before.release, before.operation], ['running', null, null])
  const idsOf = async (rack: MemoryRack) =>
    (await rack.operations.listReleases('shop', 10)).map(({ id, build, description }) => [
      id,
      build,
      description,
    ])
  assert.deepEqual(await idsOf(target), await idsOf(origin.rack))
  assert.equal((await operations.getEnvironment('shop')).SECRET, 'a value')
  assert.equal(await textIn(target, 'shop', 'data'), 'what I wrote')
  await operations.promoteRelease('shop', made.release!, { releaseCommand: true }, control)
  const after = await operations.getApp('shop', control)
  assert.equal(after.formation['web']?.count, 2)
  assert.deepEqual(
    (await operations.listDomains({ app: 'shop' })).map(({ name }) => name),
    ['shop.example.com'],
  )
  const back = await operations.rollbackRelease('shop', null, { releaseCommand: true }, control)
  const build = async (id: string) => (await operations.getRelease('shop', id)).build
  assert.equal(await build(back.release), await build(first!))
  const rebuilt = await operations.rebuildApp(
    'shop',
    (await build(first!))!,
    { description: null, noCache: false },
    control,
  )
  assert.match(rebuilt.release, /^R/)
  assert.deepEqual(await Array.fromAsync(target.objects.list('imports/')), [])
})

test('a copy of an app stands beside it on the same rack, and shares no id with it', async () => {
  await using origin = await openOrigin()
  const { rack } = origin
  await rack.operations.removeDomain('shop', 'shop.example.com', rack.control)
  const made = await bringIn(rack, await exported(rack), { name: 'shop-2' })
  assert.match(made.notes.join('\n'), /builds and releases have new ids/)
  const ids = async (app: string) => (await rack.operations.listReleases(app, 10)).map(({ id }) => id)
  const [own, copied] = [await ids('shop'), await ids('shop-2')]
  assert.equal(own.length, copied.length)
  assert.ok(own.every((id) => !copied.includes(id)))
  await rack.operations.promoteRelease('shop-2', made.release!, { releaseCommand: true }, rack.control)
  assert.equal(await textIn(rack, 'shop-2', 'data'), 'what I wrote')
  assert.equal((await rack.operations.getEnvironment('shop-2')).SECRET, 'a value')
})

test('what cannot come is refused before anything is touched', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  const { operations, engine, control } = target
  const archive = await exported(origin.rack)
  const refused = async (code: ErrorCode, message: RegExp, from: Uint8Array, request = {}) => {
    await assert.rejects(bringIn(target, from, request), (error) => {
      assert.ok(error instanceof RackError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(`${error.message}\n${error.hint ?? ''}`, message)
      return true
    })
    await assertNothingOf(target, String(message))
  }
  const whole = await unpacked(archive)
  for (let at = 0; at < archive.length; at += 97) {
    const changed = Buffer.from(archive)
    changed[at]! ^= 1
    for (const damaged of [changed, archive.subarray(0, at)]) {
      // Some bits say the same in another way, and the last bytes are an empty frame: nothing is lost with these.
      if ((await unpacked(damaged))?.equals(whole!)) continue
      await refused('invalid', /cannot be used/, damaged)
    }
  }
  await refused('unsupported', /newer form \(2\)[\s\S]*rack update/, await rewritten(archive, { format: 2 }))
  const about = { format: 1 as const, service: 'main', type: 'postgres', version: '16', created: '' }
  const other = Buffer.concat(await Array.fromAsync(compressZstd(packBackup(about, []))))
  await refused('invalid', /no export of an app, but a backup of main[\s\S]*services restore/, other)
  await refused('invalid', /cannot be an app's name/, archive, { name: 'No' })
  engine.capacity = async () => ({
    instances: [{ id: 'one', total: { cpuUnits: 1, memoryBytes: 1 }, free: { cpuUnits: 1, memoryBytes: 1 } }],
    total: { cpuUnits: 1, memoryBytes: 1 },
    reserved: { cpuUnits: 0, memoryBytes: 0 },
    free: { cpuUnits: 1, memoryBytes: 1 },
    holders: [],
  })
  await refused('capacity', /does not fit/, archive, { isNext: true })
  const bare = await exported(origin.rack, { images: 'none' })
  await refused('image-unavailable', /neither in the archive nor here/, bare, { isNext: true })

  await operations.createApp('blog')
  await operations.addDomain('blog', { name: 'shop.example.com', process: null }, control)
  await assert.rejects(bringIn(target, archive), {
    code: 'conflict',
    message: /shop\.example\.com is held by blog/,
  })
  await assert.rejects(bringIn(target, archive, { name: 'blog' }), { code: 'exists', hint: /--name NAME/ })
  await operations.deleteApp('blog', { volumes: true }, control)
  await engine.copyVolume(appOwner('shop'), 'data', { in: tarOf('of before') }, control)
  await assert.rejects(bringIn(target, archive), { code: 'conflict', hint: /rack volumes delete shop\/data/ })
  assert.equal(await textIn(target, 'shop', 'data'), 'of before')
})

/** What was compressed; null where it cannot be read to its end. */
async function unpacked(archive: Uint8Array): Promise<Buffer | null> {
  try {
    return Buffer.concat(await Array.fromAsync(decompressZstd(piece(archive))))
  } catch {
    return null
  }
}

/** What an archive says of itself, whatever it is. */
type Said = ReturnType<typeof JSON.parse>

/** The same archive, whole, whose head and rows say other things. */
async function rewritten(
  archive: Uint8Array,
  change: object | ((head: Said) => void),
  changeRow: (row: Said) => void = () => undefined,
): Promise<Buffer> {
  const parts: { name: string; content: AsyncIterable<Uint8Array> }[] = []
  let about: AboutBackup | null = null
  const head = (text: string) => {
    const value: Said = JSON.parse(text)
    if (typeof change === 'function') change(value)
    else Object.assign(value, change)
    return JSON.stringify(value)
  }
  const row = (line: string) => {
    const value: Said = JSON.parse(line)
    changeRow(value)
    return `${JSON.stringify(value)}\n`
  }
  for await (const item of readBackup(decompressZstd(piece(archive)))) {
    if ('about' in item) {
      ;({ about } = item)
      continue
    }
    const { name } = item
    const bytes = Buffer.concat(await Array.fromAsync(item.content))
    const lines = () => bytes.toString().trimEnd().split('\n').map(row).join('')
    const text = name === 'app.json' ? head(bytes.toString()) : name.endsWith('.ndjson') ? lines() : null
    parts.push({ name, content: piece(text === null ? bytes : Buffer.from(text)) })
  }
  assert.ok(about)
  return Buffer.concat(await Array.fromAsync(compressZstd(packBackup(about, parts))))
}

const inHead = (change: (head: Said) => void): [typeof change, (row: Said) => void] => [
  change,
  () => undefined,
]
const inBuilds = (change: (row: Said) => void) =>
  [() => undefined, (row: Said) => void ('build' in row && change(row))] as ReturnType<typeof inHead>
const inReleases = (change: (row: Said) => void) =>
  [() => undefined, (row: Said) => void ('release' in row && change(row))] as ReturnType<typeof inHead>
const linked = (options: object) =>
  inReleases(
    ({ release }) => (release.links = [{ alias: 'db', service: 'main', version: 'elsewhere', ...options }]),
  )

/** Archives that are whole, and that nobody exported so. */
const hostile: Record<string, [RegExp, ReturnType<typeof inHead>]> = {
  'a volume outside': [/contents\.volumes\.0/, inHead(({ contents }) => (contents.volumes = ['../data']))],
  'more than all': [/a count is a whole number/, inHead(({ formation }) => (formation.web.count = -1))],
  'half a copy': [/a count is a whole number/, inHead(({ formation }) => (formation.web.count = 0.5))],
  'no memory': [/memory is at least/, inHead(({ formation }) => (formation.web.memoryBytes = 1))],
  'a head without end': [
    /more than 16 MiB/,
    inHead(({ contents }) => (contents.lacks = ['x'.repeat(17 * 2 ** 20)])),
  ],
  'a word that is none': [/cannot be used/, inHead((head) => (head.other = true))],
  'a base of another build': [/does not hold/, inHead(({ base }) => (base.build = 'BAAAAAAAAAA'))],
  'an image by a name': [/images\.0/, inHead((head) => (head.images = ['postgres:16']))],
  "a build's image by a name": [
    /content\.images\.web\.reference/,
    inBuilds(({ content }) => (content.images.web.reference = 'postgres:16')),
  ],
  'a build that failed': [/build\.status/, inBuilds(({ build }) => (build.status = 'failed'))],
  'an id twice': [/BAAAAAAAAAA twice/, inBuilds(({ build }) => (build.id = 'BAAAAAAAAAA'))],
  'a file beside the source': [
    /content\.beside/,
    inBuilds(({ content }) => (content.beside = [{ path: '../file', mode: 0o600 }])),
  ],
  'a variable that is none': [/environment/, inReleases(({ environment }) => (environment['a b'] = 'c'))],
  'a database of the server': [/links\.0\.database/, linked({ database: 'postgres' })],
  "a database of a link's own": [/links\.0\.database/, linked({ database: 'blog_db' })],
  'a prefix that is none': [/links\.0\.keyPrefix/, linked({ keyPrefix: 'a b' })],
  'an alias that is none': [/links\.0\.alias/, linked({ alias: 'D B' })],
}

test('an archive that is whole, and says what none says, is refused before anything is touched', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  const archive = await exported(origin.rack)
  for (const [what, [message, changes]] of Object.entries(hostile)) {
    await assert.rejects(
      bringIn(target, await rewritten(archive, ...changes)),
      { code: 'invalid', message },
      what,
    )
    await assertNothingOf(target, what)
  }
})

test('an archive reaches nothing of others unsaid: images that they have built, volumes, databases', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  const { operations, engine, objects, control } = target
  const bare = await exported(origin.rack, { images: 'none' })
  await operations.createApp('blog')
  await target.deploy('blog', compose('other'))
  await assert.rejects(bringIn(target, bare), { code: 'conflict', message: /another app has built it/ })
  const [build] = await operations.listBuilds('blog', 1)
  const { images } = await target.store.builds.content(build!.id)
  const believed = await rewritten(bare, { images: Object.values(images).map(({ reference }) => reference) })
  await assert.rejects(bringIn(target, believed), { code: 'invalid', message: /has images, and has none/ })
  assert.equal(await target.store.apps.get('shop'), null)

  // Left by an app shop that is no more: what stands in for its data.
  await engine.copyVolume(appOwner('shop'), 'data.2', { in: tarOf('of before') }, control)
  await keepStandIn({ objects }, { app: 'shop', name: 'data' }, { current: 'data.2', others: [] })
  const archive = await exported(origin.rack, { images: 'all' })
  const over = await rewritten(archive, ({ contents }: Said) => (contents.volumes = ['data.2']))
  await assert.rejects(bringIn(target, over), { code: 'conflict', hint: /rack volumes delete shop\/data;/ })
  assert.equal(await textIn(target, 'shop', 'data.2'), 'of before')

  await operations.createService({ name: 'main', type: 'postgres' }, control)
  await operations.createLink('blog', { service: 'main', alias: 'db', database: 'shared' }, control)
  const sharing = await rewritten(archive, ...linked({ database: 'shared' }))
  const made = await bringIn(target, sharing, { name: 'shop-2' })
  assert.match(made.notes.join('\n'), /the link db reaches what others have in main too: blog \(as db\)/)
})

test('a link leads to the service of that name here, by a login of its own; without one it is refused with what to type', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  const { rack } = origin
  const url = (host: string) => ({ name: 'main', type: 'url', url: `tcp://${host}:10` })
  await rack.operations.createService(url('there'), rack.control)
  const { release } = await rack.operations.createLink('shop', { service: 'main', alias: 'db' }, rack.control)
  await rack.operations.promoteRelease('shop', release.id, { releaseCommand: true }, rack.control)
  await rack.operations.changeEnvironment('shop', {
    set: { LATER: 'not live yet' },
    unset: [],
    replace: false,
  })
  const plan = await rack.operations.planAppExport('shop', scope, rack.control)
  assert.deepEqual(plan.services, [{ name: 'main', type: 'url' }])
  assert.ok(plan.lacks.some((lack) => lack.includes('rack services export main')))
  const archive = await exported(rack)
  await assert.rejects(bringIn(target, archive), {
    code: 'conflict',
    message: /main \(as db\): rack services create url --name main/,
    hint: /rack services import/,
  })
  await assertNothingOf(target, 'without the service')
  await target.operations.createService(url('here'), target.control)
  const made = await bringIn(target, archive)
  await target.operations.promoteRelease('shop', made.release!, { releaseCommand: true }, target.control)
  assert.match(target.engine.livePlan('shop')!.processes[0]!.environment['DB_URL']!, /^tcp:\/\/here:10/)
  const live = await target.operations.getRelease('shop', made.release!)
  assert.equal(live.description, `import of ${release.id}`)
  assert.equal((await target.operations.getEnvironment('shop')).LATER, 'not live yet')
})

test('where services give logins, what comes and what is gone back to have logins of this rack', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  for (const { operations, control } of [origin.rack, target])
    await operations.createService({ name: 'main', type: 'postgres' }, control)
  const { operations, control } = origin.rack
  const promote = async (rack: MemoryRack, release: string) =>
    await rack.operations.promoteRelease('shop', release, { releaseCommand: true }, rack.control)
  const { release } = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await promote(origin.rack, release.id)
  const later = await operations.changeEnvironment('shop', { set: { MORE: '1' }, unset: [], replace: false })
  await promote(origin.rack, later.id)
  const urlOf = ({ engine }: MemoryRack) => engine.livePlan('shop')!.processes[0]!.environment['DB_URL']!
  const made = await bringIn(target, await exported(origin.rack))
  await promote(target, made.release!)
  const came = new URL(urlOf(target))
  assert.equal(came.username, new URL(urlOf(origin.rack)).username)
  assert.notEqual(came.password, new URL(urlOf(origin.rack)).password)
  const back = await target.operations.rollbackRelease('shop', null, { releaseCommand: true }, target.control)
  assert.equal(
    (await target.operations.getRelease('shop', back.release)).description,
    `rollback to ${release.id}`,
  )
  assert.equal(new URL(urlOf(target)).password, came.password)
})

test('an import that is killed anywhere is not there, or is whole', { timeout: 120_000 }, async () => {
  await using origin = await openOrigin()
  const archive = await exported(origin.rack, { images: 'all' })
  for (let steps = 0; steps < 200; steps++) {
    await using target = await startMemoryRack()
    const parts = dieAfter(target, steps)
    const dying = (await target.restart(parts)).operations.as(tester)
    const made = await bringIn({ operations: dying, control: target.control }, archive).then(
      () => true,
      () => false,
    )
    const room = await target.restart()
    const where = `after ${steps} steps, ${parts.calls.at(-1)}`
    assert.ok(await room.recover(target.control), where)
    if ((await target.store.apps.get('shop')) === null) {
      assert.equal(made, false, where)
      await assertNothingOf(target, where)
    } else await assertWhole(room.operations.as(tester), target, where)
    if (parts.calls.length < steps) return assert.equal(made, true)
  }
  assert.fail('no end')
})

async function assertWhole(operations: Operations, target: MemoryRack, where: string): Promise<void> {
  const app = await operations.getApp('shop', target.control)
  assert.deepEqual([app.status, app.operation], ['running', null], where)
  assert.equal((await operations.listReleases('shop', 10)).length, 3, where)
  assert.equal(await textIn(target, 'shop', 'data'), 'what I wrote', where)
  assert.deepEqual(await Array.fromAsync(target.objects.list('imports/')), [], where)
}

test('whoever leaves in the middle, and a cancel, leave nothing', async () => {
  await using origin = await openOrigin()
  const archive = await exported(origin.rack)
  for (const ending of ['leaves', 'cancels'] as const) {
    await using target = await startMemoryRack()
    const leaving = new AbortController()
    const copyVolume = target.engine.copyVolume.bind(target.engine)
    const ended = Promise.withResolvers<unknown>()
    target.engine.copyVolume = async (owner, name, content, control) => {
      await copyVolume(owner, name, content, control)
      if (ending === 'leaves') leaving.abort(new RackError('cancelled', 'left'))
      else ended.resolve(target.operations.cancelApp('shop', target.control))
      if (!control.signal.aborted)
        await new Promise((resolve) => control.signal.addEventListener('abort', resolve))
      control.signal.throwIfAborted()
    }
    const control = { signal: leaving.signal, report: () => undefined }
    await assert.rejects(bringIn({ ...target, control }, archive), { code: 'cancelled' })
    if (ending === 'cancels') assert.equal(((await ended.promise) as { status: string }).status, 'cancelled')
    await assertNothingOf(target, ending)
  }
})

test('what links another service than the newest release does is gone back to, and has a login then', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  for (const { operations, control } of [origin.rack, target])
    await operations.createService({ name: 'main', type: 'postgres' }, control)
  const { operations, control } = origin.rack
  const { release } = await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  await operations.promoteRelease('shop', release.id, { releaseCommand: true }, control)
  const newest = await operations.deleteLink('shop', 'db')
  const made = await bringIn(target, await exported(origin.rack), { isNext: true })
  assert.deepEqual([made.release, made.isGoneBackTo], [release.id, true])
  const loginsHere = async () => (await target.store.services.versions('main')).filter(({ login }) => login)
  assert.deepEqual(await loginsHere(), [])
  assert.equal((await target.store.releases.newest('shop'))?.id, newest.release.id)
  await target.operations.rollbackRelease('shop', made.release, { releaseCommand: true }, target.control)
  const url = new URL(target.engine.livePlan('shop')!.processes[0]!.environment['DB_URL']!)
  assert.deepEqual(
    (await loginsHere()).map(({ login }) => login!.username),
    [url.username],
  )
})

test('a service of another type is refused, unless it is known by its URL', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  for (const { operations, control } of [origin.rack, target])
    await operations.createService({ name: 'main', type: 'postgres' }, control)
  const { operations, control } = origin.rack
  await operations.createLink('shop', { service: 'main', alias: 'db' }, control)
  const contents = await operations.planAppExport('shop', scope, control)
  const was = { contents: { ...contents, services: [{ name: 'main', type: 'mysql' }] } }
  const archive = await rewritten(await exported(origin.rack), was)
  await assert.rejects(bringIn(target, archive), {
    code: 'conflict',
    message: /main is of the type postgres here, and was mysql/,
    hint: /Nothing was changed/,
  })
  assert.equal(await target.store.apps.get('shop'), null)
  await using hosted = await startMemoryRack()
  const url = { name: 'main', type: 'url', url: 'postgres://here:10/shop' }
  await hosted.operations.createService(url, hosted.control)
  assert.equal((await bringIn(hosted, archive)).app, 'shop')
})

test('an app that is coming is given nothing, and the audit names it when it has come', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  const { operations, engine, store, control } = target
  const archive = await exported(origin.rack)
  const [release] = origin.releases
  const build = (await origin.rack.operations.getRelease('shop', release!)).build!
  const content = { open: () => assert.fail('nothing of it is read') }
  const copyVolume = engine.copyVolume.bind(engine)
  const refused: string[] = []
  engine.copyVolume = async (...args) => {
    const domain = { name: 'www.example.com', process: null }
    const run = { type: 'web', command: [], release: release!, timeoutMs: 1000 }
    const calls = {
      environment: () => operations.changeEnvironment('shop', { set: { A: '1' }, unset: [], replace: false }),
      rebuild: () => operations.rebuildApp('shop', build, { description: null, noCache: false }, control),
      build: () =>
        operations.buildApp('shop', { content, description: null, noCache: false } as never, control),
      forget: () => operations.deleteBuild('shop', build),
      link: () => operations.createLink('shop', { service: 'main' }, control),
      unlink: () => operations.deleteLink('shop', 'main'),
      rotate: () => operations.rotateLink('shop', 'main', control),
      domain: () => operations.addDomain('shop', domain, control),
      undomain: () => operations.removeDomain('shop', 'shop.example.com', control),
      run: () => operations.runProcess('shop', run, null, control),
      lock: () => operations.setLocked('shop', true),
    }
    for (const [name, call] of Object.entries(calls)) {
      const fault = { code: 'busy', message: /an import of "shop" by test/ }
      await assert.rejects(async () => await call(), fault, name)
      refused.push(name)
    }
    await copyVolume(...args)
  }
  const made = await bringIn(target, archive)
  assert.equal(refused.length, 11)
  assert.equal(made.releases, (await operations.listReleases('shop', 10)).length)
  const told = (await store.audit.list({ limit: 50 })).filter(({ verb }) => verb === 'importApp')
  assert.deepEqual(
    told.map(({ subject, outcome }) => [subject, outcome]),
    [
      ['shop', 'done'],
      [null, 'done'],
    ],
  )
})

test('of two imports of one archive at once, the second waits, and has ids of its own', async () => {
  await using origin = await openOrigin()
  await using target = await startMemoryRack()
  await origin.rack.operations.removeDomain('shop', 'shop.example.com', origin.rack.control)
  const archive = await exported(origin.rack)
  const { store, control } = target
  const waits = Promise.withResolvers<void>()
  const known = store.imports.known.bind(store.imports)
  const seconds: Promise<unknown>[] = []
  store.imports.known = async (ids) => {
    const found = await known(ids)
    if (seconds.length > 0) {
      waits.resolve()
      return found
    }
    const report = (said: { type: string; text?: string }) => {
      if (said.text === 'waiting for another import') waits.resolve()
    }
    const second = bringIn({ ...target, control: { ...control, report } }, archive, { name: 'shop-2' })
    second.catch(() => waits.resolve())
    seconds.push(second)
    await waits.promise
    return found
  }
  await bringIn(target, archive)
  await Promise.all(seconds)
  const ids = async (app: string) => (await target.operations.listReleases(app, 10)).map(({ id }) => id)
  const [first, other] = [await ids('shop'), await ids('shop-2')]
  assert.equal(first.length, other.length)
  assert.ok(first.every((id) => !other.includes(id)))
})

test('whoever leaves while an archive is read is heard there', async () => {
  await using target = await startMemoryRack()
  const leaving = new AbortController()
  const get = target.objects.get.bind(target.objects)
  target.objects.get = (key) => {
    leaving.abort(new RackError('cancelled', 'left'))
    return get(key)
  }
  const control = { signal: leaving.signal, report: () => undefined }
  await assert.rejects(bringIn({ ...target, control }, Buffer.from('no archive')), { code: 'cancelled' })
  await assertNothingOf(target, 'while it is read')
})
