import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack } from '../../test/support/memory-rack.ts'
import { packTar, unpackTar } from '../../test/support/tar.ts'

async function twoApps() {
  const rack = await startMemoryRack()
  const { operations, control } = rack
  const ids: string[] = []
  for (const app of ['shop', 'blog']) {
    await operations.createApp(app)
    await rack.deploy(app, `services: { ${app}: { image: ${app}, command: "mirror 7000", ports: ["7000"] } }`)
    const [running] = await operations.listProcesses(app, {}, control)
    ids.push(running?.id ?? '')
  }
  return { rack, operations, control, ids }
}

test("files go into and out of the app's own processes alone", async () => {
  const { rack, operations, control, ids } = await twoApps()
  await using _rack = rack
  const [own = '', other = ''] = ids
  const archive = { in: packTar([{ name: 'note', content: 'kept' }]) }
  await operations.copyFiles('shop', { process: own, path: '/tmp', archive }, control)
  const chunks: Uint8Array[] = []
  const out = async (chunk: Uint8Array) => void chunks.push(chunk)
  await operations.copyFiles('shop', { process: own, path: '/tmp/note', archive: { out } }, control)
  async function* given() {
    yield* chunks
  }
  assert.deepEqual(
    (await unpackTar(given())).map(({ content }) => content),
    ['kept'],
  )
  const foreign = operations.copyFiles('shop', { process: other, path: '/tmp', archive: { out } }, control)
  await assert.rejects(foreign, { code: 'not-found' })
  const nowhere = operations.copyFiles('none', { process: own, path: '/tmp', archive: { out } }, control)
  await assert.rejects(nowhere, { code: 'not-found' })
})

test("a connection leads to the app's own processes alone", async () => {
  const { rack, operations, control, ids } = await twoApps()
  await using _rack = rack
  const [own = '', other = ''] = ids
  for (const host of ['shop', own]) {
    const stream = await operations.connectInside('shop', { host, port: 7000 }, control)
    await stream.input(Buffer.from('hello'))
    stream.end()
    assert.equal(Buffer.concat(await Array.fromAsync(stream.output)).toString(), 'hello')
  }
  for (const host of ['blog', other, '127.0.0.1']) {
    const reached = operations.connectInside('shop', { host, port: 7000 }, control)
    await assert.rejects(reached, { code: 'not-found' })
  }
  await assert.rejects(operations.connectInside('none', { host: 'shop', port: 7000 }, control), {
    code: 'not-found',
  })
})
