import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { pack as tarPack } from 'tar-stream'
import type { Objects } from '../../src/domain/objects.ts'
import { RackError } from '../../src/domain/error.ts'
import { keptKey } from '../../src/operations/kept-sources.ts'
import { readTar } from '../../src/lib/tar.ts'
import { dieAfter } from '../support/dying-parts.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'

const compose = `services:
  web:
    build: .
    env_file: config/web.env
    secrets: [key]
secrets:
  key: { file: ./key.pem }
`
const secrets = {
  'config/web.env': 'TOKEN=secret-4711\n',
  'key.pem': 'secret-4712\n',
  '.env': 'A=secret-4713\n',
}
const files = { Dockerfile: 'FROM scratch\n', 'app.js': 'serve()\n', ...secrets }

type Unchanged = [path: string, mode: number, modified: number, hash: string]

/** An upload whose source holds its secret files too, as one without a .dockerignore does. */
function uploadOf(
  source: Record<string, string>,
  modified = new Date(0),
  unchanged: Unchanged[] | null = null,
): AsyncIterable<Uint8Array> {
  const pack = tarPack()
  const index = {
    files: ['docker-compose.yml'],
    dotenv: true,
    texts: ['config/web.env'],
    contents: ['key.pem'],
  }
  pack.entry({ name: 'manifest/index.json' }, JSON.stringify(index))
  pack.entry({ name: 'manifest/files/docker-compose.yml' }, compose)
  pack.entry({ name: 'manifest/dotenv' }, secrets['.env'])
  for (const path of ['config/web.env', 'key.pem'] as const) {
    pack.entry({ name: `manifest/files/${path}` }, secrets[path])
  }
  if (unchanged) pack.entry({ name: 'unchanged.json' }, JSON.stringify({ files: unchanged }))
  for (const [path, content] of Object.entries(source)) {
    pack.entry({ name: `source/${path}`, mtime: modified }, content)
  }
  pack.finalize()
  return pack as AsyncIterable<Uint8Array>
}

async function build(
  { operations, control }: Pick<MemoryRack, 'operations' | 'control'>,
  content: AsyncIterable<Uint8Array>,
  { app = 'shop', base }: { app?: string; base?: string } = {},
) {
  return await operations.buildApp(app, { content, description: null, noCache: false, base }, control)
}

const hashOf = (content: string) => hash('sha256', content, 'base64url')
const sameApp: Unchanged = ['app.js', 0o644, 0, hashOf(files['app.js'])]

async function keptOf({ store, objects }: MemoryRack, id: string) {
  const { kept } = await store.builds.content(id)
  assert.ok(kept, 'the source is kept')
  const key = keptKey('shop', kept)
  const open = () => store.sealing.open(objects.get(key), ['source', 'shop', kept])
  const found: Record<string, string> = {}
  for await (const { header, content } of readTar(open())) {
    found[header.name] = await text(content as AsyncIterable<Buffer>)
  }
  return { key, found }
}

/** The lists of their files are beside them. */
const keysOf = async ({ objects }: MemoryRack) => {
  const keys = await Array.fromAsync(objects.list('kept/'), ({ key }) => key)
  const sources = keys.filter((key) => !key.endsWith('.files'))
  assert.equal(keys.length, 2 * sources.length, keys.join(' '))
  return sources
}

test('the source of a build is kept without its secret files, sealed, and once', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const first = await build(rack, uploadOf(files))
  const { key, found } = await keptOf(rack, first.build)
  assert.deepEqual(found, { Dockerfile: files.Dockerfile, 'app.js': files['app.js'] })
  const bytes = Buffer.concat(await Array.fromAsync(rack.objects.get(key))).toString('latin1')
  assert.ok(!bytes.includes('serve()') && !bytes.includes('app.js'))
  const same = await build(rack, uploadOf(files, new Date(1_000_000_000)))
  assert.equal((await keptOf(rack, same.build)).key, key, 'times are no difference')
  const other = await build(rack, uploadOf({ ...files, 'app.js': 'serve(2)\n' }))
  const changed = await keptOf(rack, other.build)
  assert.equal(changed.found['app.js'], 'serve(2)\n')
  assert.deepEqual((await keysOf(rack)).toSorted(), [key, changed.key].toSorted())
})

test('sources are kept as long as images are, and go with their app', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  for (let at = 0; at < 5; at++) await build(rack, uploadOf({ ...files, 'app.js': `serve(${at})\n` }))
  assert.equal((await keysOf(rack)).length, 5)
  const { bytes } = await operations.prune({ buildCache: false, volumes: false }, control)
  assert.ok(bytes > 0)
  const newest = await operations.listBuilds('shop', 3)
  const named = await Promise.all(newest.map(async ({ id }) => (await keptOf(rack, id)).key))
  assert.deepEqual((await keysOf(rack)).toSorted(), named.toSorted())
  await operations.deleteApp('shop', { volumes: true }, control)
  assert.deepEqual(await keysOf(rack), [])
})

test('a source that cannot be kept fails no build; a build that fails or is cancelled keeps none', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const put: Objects['put'] = async (key, content, control) => {
    if (key.startsWith('kept/')) throw new RackError('disk-full', 'no room')
    return await rack.objects.put(key, content, control)
  }
  const told: string[] = []
  const room = await rack.restart({
    objects: { ...rack.objects, put },
    log: (_level, message) => told.push(message),
  })
  const made = await build({ ...rack, operations: room.operations.as(tester) }, uploadOf(files))
  assert.equal((await rack.store.builds.content(made.build)).kept, null)
  assert.match(told.join('\n'), /is not kept/)
  await assert.rejects(build(rack, uploadOf({ ...files, Dockerfile: 'FROM scratch\nRUN fail 3\n' })), {
    code: 'build-failed',
  })
  await rack.operations.prune({ buildCache: false, volumes: false }, rack.control)
  assert.deepEqual(await keysOf(rack), [])
})

test('an upload may leave out what the rack keeps of the app: the release is of the whole source', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  await operations.createApp('shop')
  assert.deepEqual(await operations.getKeptSource('shop'), { id: null, files: [] })
  const first = await build(rack, uploadOf(files))
  const kept = await operations.getKeptSource('shop')
  assert.deepEqual(kept.files.toSorted(), [hashOf(files.Dockerfile), hashOf(files['app.js'])].toSorted())
  const base = kept.id!
  const { 'app.js': _, ...sent } = files
  const same = await build(rack, uploadOf(sent, new Date(0), [sameApp]), { base })
  assert.equal((await keptOf(rack, same.build)).key, (await keptOf(rack, first.build)).key)
  const more = { ...sent, 'more.js': 'more()\n' }
  const changed = await build(rack, uploadOf(more, new Date(0), [sameApp]), { base })
  const { found } = await keptOf(rack, changed.build)
  assert.deepEqual(found, {
    Dockerfile: files.Dockerfile,
    'app.js': files['app.js'],
    'more.js': more['more.js'],
  })
})

test("no app builds of what another one sent, nor of what is secret, by the hash of it or the source's", async () => {
  await using rack = await startMemoryRack()
  const { operations, store } = rack
  for (const app of ['shop', 'other']) await operations.createApp(app)
  await build(rack, uploadOf(files))
  const { id } = await operations.getKeptSource('shop')
  assert.deepEqual(await operations.getKeptSource('other'), { id: null, files: [] })
  const upload = () => uploadOf({}, new Date(0), [sameApp])
  await assert.rejects(build(rack, upload(), { app: 'other', base: id! }), { code: 'gone' })
  await build(rack, uploadOf({ Dockerfile: 'FROM scratch\n' }), { app: 'other' })
  const { id: own } = await operations.getKeptSource('other')
  const stolen = build(rack, uploadOf(files, new Date(0), [sameApp]), { app: 'other', base: own! })
  await assert.rejects(stolen, { code: 'gone' })
  const secret: Unchanged = ['copy.pem', 0o644, 0, hashOf(secrets['key.pem'])]
  await assert.rejects(build(rack, uploadOf({}, new Date(0), [secret]), { base: id! }), { code: 'gone' })
  for (const base of ['../other/x', 'x', '']) {
    await assert.rejects(build(rack, upload(), { base }), { code: 'gone' })
  }
  assert.ok((await store.builds.list('other', 9)).every(({ status }) => status !== 'running'))
})

test('a source that was pruned, or kept without its list, is one that is not there: all is sent then', async () => {
  await using rack = await startMemoryRack()
  const { operations, objects } = rack
  await operations.createApp('shop')
  await build(rack, uploadOf(files))
  const { id } = await operations.getKeptSource('shop')
  await objects.remove(`${keptKey('shop', id!)}.files`)
  assert.deepEqual(await operations.getKeptSource('shop'), { id: null, files: [] })
  const upload = uploadOf({}, new Date(0), [sameApp])
  await assert.rejects(build(rack, upload, { base: id! }), { code: 'gone' })
  assert.equal((await operations.listBuilds('shop', 9)).length, 1, 'it was refused before there was a build')
  await build(rack, uploadOf(files))
  assert.equal((await operations.getKeptSource('shop')).id, id)
})

test('a daemon that dies in the middle of such a build loses nothing that the next one stands on', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  await build(rack, uploadOf(files))
  const { id } = await rack.operations.getKeptSource('shop')
  const { Dockerfile } = files
  for (let steps = 0, hasEnded = false; !hasEnded; steps++) {
    const parts = dieAfter(rack, steps)
    const operations = (await rack.restart(parts)).operations.as(tester)
    const upload = uploadOf({ Dockerfile, more: String(steps) }, new Date(0), [sameApp])
    await build({ ...rack, operations }, upload, { base: id! }).catch(() => undefined)
    hasEnded = parts.calls.length < steps
    const next = await rack.restart()
    assert.ok(await next.recover(rack.control))
    const { id: left, files: hashes } = await next.operations.as(tester).getKeptSource('shop')
    assert.ok(left !== null && hashes.includes(hashOf(files['app.js'])), `after ${parts.calls.join(' ')}`)
  }
  const { id: last } = await rack.operations.getKeptSource('shop')
  const made = await build(rack, uploadOf({ Dockerfile }, new Date(0), [sameApp]), { base: last! })
  assert.equal((await keptOf(rack, made.build)).found['app.js'], files['app.js'])
})

test('a build is made again of what was sent: the kept source, and the secret files that are sealed with it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  const { build: first } = await build(rack, uploadOf(files))
  const sources: Record<string, string>[] = []
  const made = engine.build.bind(engine)
  engine.build = async (request, own) => {
    const found: Record<string, string> = {}
    for await (const { header, content } of readTar(request.source())) {
      found[header.name] = await text(content as AsyncIterable<Buffer>)
    }
    sources.push(found)
    return await made(request, own)
  }
  await operations.changeEnvironment('shop', { set: { A: '2' }, unset: [], replace: false })
  const again = await operations.rebuildApp('shop', first, { description: null, noCache: false }, control)
  assert.deepEqual(sources, [files])
  const release = await operations.getRelease('shop', again.release)
  assert.deepEqual([release.build, release.description], [again.build, `build ${first} again`])
  assert.deepEqual(await operations.getEnvironment('shop', again.release), { A: '2' })
  const contents = await Promise.all([first, again.build].map((id) => rack.store.builds.content(id)))
  assert.equal(contents[0]!.kept, contents[1]!.kept, 'the same source is kept once')
  assert.deepEqual(contents[0]!.beside, contents[1]!.beside)
  assert.deepEqual(contents[0]!.images, contents[1]!.images)
})

test('what cannot be built again says so before there is a build, and what to type', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, objects } = rack
  await operations.createApp('shop')
  const { build: first } = await build(rack, uploadOf(files))
  const again = async (id: string) =>
    await operations.rebuildApp('shop', id, { description: null, noCache: false }, control)
  await assert.rejects(again('BNONE'), (error) => error instanceof RackError && error.code === 'not-found')
  const { key } = await keptOf(rack, first)
  await objects.remove(`${key}.files`)
  await assert.rejects(
    again(first),
    (error) => error instanceof RackError && error.code === 'gone' && /rack deploy/.test(error.hint ?? ''),
  )
  await assert.rejects(build(rack, uploadOf({ ...files, Dockerfile: 'RUN fail\n' })))
  const [failed] = await operations.listBuilds('shop', 1)
  await assert.rejects(again(failed!.id), (error) => error instanceof RackError && error.code === 'conflict')
  assert.equal((await operations.listBuilds('shop', 10)).length, 2)
})
