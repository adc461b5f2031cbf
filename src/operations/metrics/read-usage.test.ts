import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServedTraffic } from '../../domain/traffic.ts'
import { startMemoryRack } from '../../../test/support/memory-rack.ts'

const compose =
  'services: { web: { image: shop, ports: ["80:3000"], command: serve }, job: { image: shop, command: sleep } }\n'

test('what apps take and serve is told by process and copy, and of some apps to whom only those are told', async () => {
  await using rack = await startMemoryRack()
  for (const app of ['shop', 'blog']) {
    await rack.operations.createApp(app)
    await rack.deploy(app, compose)
  }
  const [web] = await rack.operations.listProcesses('shop', { type: 'web' }, rack.control)
  const id = web?.id ?? ''
  const copies = { [id]: { requests: 9, failed: 1, answerMs: 12 } }
  const served = { requests: 12, failed: 3, held: 0, releases: {}, answerMs: {}, copies }
  const news = {
    id: 'PAAAAAAAAAA',
    app: 'shop',
    type: 'web',
    kind: 'process',
    release: 'R',
    detail: null,
  } as const
  const ended = { ...news, status: 'crashed', restarts: 4, outOfMemory: 1 } as const
  await rack.store.processes.tell('shop', [{ change: 'created', process: ended }])
  const { operations } = await rack.restart({
    host: { ...rack.host, traffic: async (): Promise<Record<string, ServedTraffic>> => ({ shop: served }) },
  })
  const ask = async (apps: string[] | null, filter: { app?: string } = {}) =>
    await operations.as({ name: 'test', role: 'read', apps }).readUsage(filter, rack.control)

  const [blog, shop] = await ask(null)
  assert.deepEqual([blog?.app, blog?.traffic], ['blog', { requests: 0, failed: 0 }])
  assert.deepEqual(shop?.traffic, { requests: 12, failed: 3 })
  const type = shop?.processes['web']
  assert.deepEqual([type?.wanted, type?.ended], [1, { restarts: 4, outOfMemory: 1 }])
  const [copy] = type?.copies ?? []
  assert.deepEqual([copy?.id, copy?.status, copy?.traffic], [id, 'running', copies[id]])
  assert.equal(copy?.usage?.memoryLimitBytes, web?.memoryBytes)
  assert.deepEqual(shop?.processes['job']?.copies[0]?.traffic, null, 'the router leads nobody there')

  assert.deepEqual(
    (await ask(['blog'])).map(({ app }) => app),
    ['blog'],
  )
  assert.deepEqual(
    (await ask(['blog'], { app: 'blog' })).map(({ app }) => app),
    ['blog'],
  )
  await assert.rejects(ask(['blog'], { app: 'shop' }), { code: 'forbidden' })
  await assert.rejects(ask(null, { app: 'none' }), { code: 'not-found' })
})
