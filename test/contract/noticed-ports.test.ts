import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMemoryRack } from '../support/memory-rack.ts'

/** A process on a raw port: one that answers in HTTP, or one that says back what it hears. */
const serving = (status: number, more = '') =>
  `services:\n  web:\n    image: x\n    command: serve 3000 ${status} ok\n    ports: ["8080:3000"]\n${more}`
const http = 200
const mirror = 0

/** A rack with an app, and what is asked of it. */
async function startShop() {
  const rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  return {
    rack,
    build: async (file: string) => await rack.build('shop', file),
    promote: async (release: string) =>
      await operations.promoteRelease('shop', release, { releaseCommand: true }, control),
    scale: async (count: number) => await operations.scaleProcesses('shop', { web: { count } }, control),
    nextHosts: async (release: string) =>
      (await operations.planPromotion('shop', release, control)).plan.processes[0]?.hosts,
    liveUrls: async () => (await operations.getApp('shop', control)).endpoints.map(({ url }) => url),
    [Symbol.asyncDispose]: async () => await rack[Symbol.asyncDispose](),
  }
}

test('what is noticed changes what becomes live next, and never what is', async () => {
  await using shop = await startShop()
  const release = await shop.build(serving(http))
  const first = await shop.promote(release)
  assert.deepEqual(
    first.noticed?.map(({ process, port, external }) => [process, port, external]),
    [['web', 3000, 8080]],
  )
  assert.match(first.noticed?.[0]?.url ?? '', /^http:\/\/shop\./)
  const live = await shop.liveUrls()
  assert.ok(
    live.every((url) => url.startsWith('tcp:')),
    live.join(),
  )
  assert.equal((await shop.nextHosts(release))?.length, 2)

  const second = await shop.promote(release)
  assert.equal(second.noticed, undefined)
  assert.deepEqual(second.receipt.kept, ['web'], 'the copies stay')
  assert.ok((await shop.liveUrls()).some((url) => url.startsWith('http:')))
  assert.deepEqual(
    (await shop.liveUrls()).filter((url) => url.startsWith('tcp:')),
    live,
  )
})

test('a new build keeps the name, is asked anew, and loses it when it speaks something else', async () => {
  await using shop = await startShop()
  await shop.promote(await shop.build(serving(http)))
  const same = await shop.build(serving(http, '    labels: { version: two }\n'))
  assert.equal((await shop.promote(same)).noticed, undefined)
  assert.equal((await shop.nextHosts(same))?.length, 2)

  const other = await shop.build(serving(mirror))
  await shop.promote(other)
  assert.ok(
    (await shop.liveUrls()).some((url) => url.startsWith('http:')),
    'what is live is what was planned',
  )
  assert.deepEqual(await shop.nextHosts(other), [])
  await shop.scale(2)
  assert.ok((await shop.liveUrls()).every((url) => url.startsWith('tcp:')))
})

test('what answers nothing of HTTP is not noticed, nor what a label calls raw', async () => {
  await using shop = await startShop()
  assert.equal((await shop.promote(await shop.build(serving(mirror)))).noticed, undefined)
  const meant = serving(http, '    labels: { rack.port.8080.protocol: tcp }\n')
  const release = await shop.build(meant)
  assert.equal((await shop.promote(release)).noticed, undefined)
  assert.deepEqual(await shop.nextHosts(release), [])
})
