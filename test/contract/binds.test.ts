import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack as tarPack } from 'tar-stream'
import { RackError } from '../../src/domain/error.ts'
import { startMemoryRack, type MemoryRack } from '../support/memory-rack.ts'

const compose = (mounts: string, more = '') =>
  `services:\n  web:\n    image: x\n    volumes: [${mounts}]\n${more}`

/** An upload that says what its sender saw at the paths of bind mounts; without a word of it, it is the whole directory. */
function uploadOf(file: string, source: Record<string, string>, places?: Record<string, string>) {
  const pack = tarPack()
  const index = { files: ['c.yml'], dotenv: false, texts: [], contents: [], places }
  pack.entry({ name: 'manifest/index.json' }, JSON.stringify(index))
  pack.entry({ name: 'manifest/files/c.yml' }, file)
  for (const [path, content] of Object.entries(source)) pack.entry({ name: `source/${path}` }, content)
  pack.finalize()
  return pack as AsyncIterable<Uint8Array>
}

async function build(rack: MemoryRack, content: AsyncIterable<Uint8Array>) {
  return await rack.operations.buildApp('shop', { content, description: null, noCache: false }, rack.control)
}

const isConflict = (message: RegExp) => (error: unknown) =>
  error instanceof RackError && error.code === 'conflict' && message.test(error.message)

/** The volumes of the one process of a release, once it is live. */
async function volumesOf(rack: MemoryRack, release: string): Promise<string[]> {
  const { plan } = await rack.operations.planPromotion('shop', release, rack.control)
  return plan.processes[0]!.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
}

test('an upload that is the whole directory needs no word of what is where', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const file = compose('"./html:/html", "./data:/data", "./kept:/kept"')
  const { release } = await build(rack, uploadOf(file, { 'html/index.html': '', 'kept/.gitkeep': '' }))
  assert.deepEqual(await volumesOf(rack, release), ['data', 'kept'])
})

test('who sent an upload says what was left out of it, and cannot say what it does not hold', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const file = compose('"./html:/html", "./data:/data"')
  const { release } = await build(
    rack,
    uploadOf(file, { 'html/page': '' }, { html: 'folder', data: 'ignored' }),
  )
  assert.deepEqual(await volumesOf(rack, release), ['data'])
  const lies: Record<string, string>[] = [{ html: 'folder', data: 'folder' }, { html: 'folder' }]
  for (const places of lies) {
    const building = build(rack, uploadOf(file, { 'html/page': '' }, places))
    await assert.rejects(building, isConflict(/the upload does not hold data/))
  }
})

test('a release that mounts another path than its build looked at asks for a build', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await build(rack, uploadOf(compose('"${DIR:-./html}:/html:ro"'), { 'html/page': '', 'other/page': '' }))
  const release = await operations.changeEnvironment('shop', {
    set: { DIR: './other' },
    unset: [],
    replace: false,
  })
  const planning = operations.planPromotion('shop', release.id, control)
  await assert.rejects(planning, isConflict(/mounts other paths of the source into web than its build/))
})
