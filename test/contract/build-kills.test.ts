import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dieAfter } from '../support/dying-parts.ts'
import { startMemoryRack, tester, type MemoryRack } from '../support/memory-rack.ts'
import { upload } from '../support/upload.ts'

const compose = (more: string) => `services:\n  web: { build: ., ports: ["80:3000"]${more} }\n`
const files = { Dockerfile: 'FROM scratch\n', '.env': 'PASSWORD=secret-4711\n' }

const keysOf = (rack: MemoryRack, prefix: string) =>
  Array.fromAsync(rack.objects.list(prefix), ({ key }) => key)

/** Has a daemon build that dies after so many steps; gives the steps that it took, fewer when it came to the end. */
async function buildAndDie(rack: MemoryRack, steps: number, text: string) {
  const parts = dieAfter(rack, steps)
  const operations = (await rack.restart(parts)).operations.as(tester)
  const content = upload(text, files)
  const wanted = { content, description: null, noCache: false }
  const fails = operations.buildApp('shop', wanted, rack.control).then(
    () => false,
    () => true,
  )
  return { hasFailed: await fails, calls: parts.calls }
}

async function checkAfterKill(rack: MemoryRack, where: string): Promise<void> {
  const next = await rack.restart()
  assert.ok(await next.recover(rack.control), where)
  assert.deepEqual(await keysOf(rack, 'sources/'), [], `an upload stays after a kill ${where}`)
  assert.deepEqual(await rack.store.operations.running(), [], `a row stays open after a kill ${where}`)
  for (const { id, status, release } of await rack.store.builds.list('shop', 99)) {
    assert.ok(status === 'complete' || status === 'failed', `build ${id} is ${status} after a kill ${where}`)
    assert.equal(status === 'complete', release !== null)
  }
  await next.operations.as(tester).prune({ buildCache: false, volumes: false }, rack.control)
  const kept = await keysOf(rack, 'kept/')
  // The source, and the list of its files.
  assert.ok(kept.length <= 2, `sources of no build are kept after a kill ${where}: ${kept.join(' ')}`)
}

for (const [kind, text] of [
  ['a build', compose('')],
  ['a build that fails', compose(', command: 4711, nothing: here')],
] as const) {
  test(`a kill after any step of ${kind} leaves no upload, no open row and no half build`, async () => {
    await using rack = await startMemoryRack()
    await rack.operations.createApp('shop')
    let last: string[] = []
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 100, `no end: ${last.join(' ')}`)
      const { hasFailed, calls } = await buildAndDie(rack, steps, text)
      await checkAfterKill(rack, `after ${steps} steps, ${calls.at(-1)}`)
      last = calls
      if (calls.length === steps) continue
      assert.equal(hasFailed, kind === 'a build that fails')
      break
    }
    // The row closes last, but for the audit.
    const closing = kind === 'a build' ? 'operations.complete' : 'operations.fail'
    assert.deepEqual(last.slice(-2), [closing, 'audit.end'])
    const released = (await rack.store.releases.list('shop', 99)).length
    const built = (await rack.store.builds.list('shop', 99)).filter(({ status }) => status === 'complete')
    assert.equal(released, built.length)
  })
}

test('a prune removes uploads and logs that no build has', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, objects, store } = rack
  await operations.createApp('shop')
  await rack.build('shop', compose(''), files)
  const [kept] = await keysOf(rack, 'builds/')
  const [done] = await store.builds.list('shop', 1)
  const left = [
    'sources/gone/BAAAAAAAAAA.tar',
    `sources/shop/${done?.id}.tar`,
    'builds/shop/BAAAAAAAAAA.ndjson',
  ]
  for (const key of left) await objects.put(key, upload(compose('')), control)
  await operations.prune({ buildCache: false, volumes: false }, control)
  assert.deepEqual([...(await keysOf(rack, 'builds/')), ...(await keysOf(rack, 'sources/'))], [kept])
})
