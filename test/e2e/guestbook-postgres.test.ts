import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask, startLoad } from '../support/load.ts'

const example = fileURLToPath(new URL('../../examples/guestbook-postgres', import.meta.url))
const host = (app: string) => `${app}.localhost`

test('the database of the file stands in for one that apps share, and nobody who visits notices', async () => {
  await using rack = await installRack()
  for (const app of ['kept', 'other']) await rack.run('deploy', '--app', app, example)
  await sign(rack, 'kept', 'in the stand-in')
  await rack.run('services', 'create', 'postgres', '--name', 'main')

  await using stack = new AsyncDisposableStack()
  const loads = ['kept', 'other'].map((app) =>
    startLoad({ port: rack.httpPort, host: host(app), connections: 2, restMs: 20 }),
  )
  for (const load of loads) stack.defer(async () => void (await load.stop()))
  for (const app of ['kept', 'other'])
    await rack.run('links', 'create', 'main', '--as', 'db', '--app', app, '--promote')
  assert.deepEqual(await types(rack, 'kept'), ['web'])
  await sign(rack, 'kept', 'in the service')
  assert.match(await page(rack, 'kept'), /1 entry so far[\s\S]*in the service/)
  assert.match(await page(rack, 'other'), /0 entries so far/)

  await rack.run('links', 'rotate', 'db', '--app', 'kept', '--promote')
  assert.match(await page(rack, 'kept'), /in the service/)
  await rack.run('links', 'delete', 'db', '--app', 'kept', '--promote')
  assert.deepEqual(await types(rack, 'kept'), ['db', 'web'])
  assert.match(await page(rack, 'kept'), /1 entry so far[\s\S]*in the stand-in/)
  assert.match(await page(rack, 'other'), /0 entries so far/)

  for (const load of loads) {
    const { requests, failures } = await load.stop()
    assert.deepEqual(failures, {})
    assert.ok(requests > 100, `${requests} requests`)
  }
})

const page = async (rack: InstalledRack, app: string) =>
  (await ask({ port: rack.httpPort, host: host(app) })).body

/** Of the copies that have not been told to end. */
async function types(rack: InstalledRack, app: string): Promise<string[]> {
  const copies = await rack.json<{ type: string; status: string }[]>('ps', '--app', app)
  return [...new Set(copies.filter(({ status }) => status === 'running').map(({ type }) => type))].sort()
}

async function sign(rack: InstalledRack, app: string, message: string): Promise<void> {
  const body = new URLSearchParams({ name: 'Ada', message }).toString()
  const posted = await ask({ port: rack.httpPort, host: host(app), path: '/entries', method: 'POST', body })
  assert.equal(posted.status, 303)
}
