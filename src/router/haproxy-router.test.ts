import assert from 'node:assert/strict'
import { test } from 'node:test'
import { control, freePort, local } from '../../test/support/routers.ts'
import { RackError } from '../domain/error.ts'
import { pemBlock } from '../lib/x509/pem.ts'
import { HaproxyRouter, type RouterParts } from './haproxy-router.ts'
import type { RouteTable } from './route-table.ts'

const refusal = new RackError('host-failed', 'the router does not answer on its control socket')

/** A HAProxy that dies while it is told of the first change, or refuses it and lives; a table with a bad app is not written. */
function scripted({ dies }: { dies: boolean }) {
  const told: string[] = []
  let pid: number | null = 1
  let isFirst = true
  const parts = {
    options: { directory: '/nowhere', httpBind: '127.0.0.1', httpPort: 80 },
    haproxy: {
      find: async () => pid,
      start: async () => {
        pid = 2
        told.push('start')
      },
    },
    running: {
      structure: async () => 'same',
      applyHosts: async () => undefined,
      applyServers: async () => {
        told.push('servers')
        if (!isFirst) return
        isFirst = false
        if (dies) pid = null
        throw refusal
      },
    },
    files: {
      load: async () => ({ apps: [] }),
      write: async ({ table }: { table: RouteTable }) => {
        const apps = table.apps.map(({ app }) => app).join()
        if (apps.includes('bad')) throw new TypeError('a value that nobody has thought of')
        told.push(`table of ${apps}`)
        return { structure: 'same' }
      },
      loadCounters: async () => undefined,
      writeCounters: async () => undefined,
    },
    runtime: { workers: async () => ({ leaving: [] }) },
  } as unknown as RouterParts
  return { router: new HaproxyRouter(parts), told }
}

test('a HAProxy that dies in the middle of a change is started again, and the change is made', async () => {
  const { router, told } = scripted({ dies: true })
  await router.apply('shop', { app: 'shop', http: [], tcp: [] }, control)
  assert.deepEqual(told.slice(0, 4), ['table of shop', 'servers', 'table of shop', 'start'])
  assert.equal(told.at(-1), 'servers')
})

test('one that lives and refuses is told of, and not started again', async () => {
  const { router, told } = scripted({ dies: false })
  const routes = { app: 'shop', http: [], tcp: [] }
  await assert.rejects(router.apply('shop', routes, control), { code: 'host-failed' })
  assert.ok(!told.includes('start'))
})

test('what was not brought to HAProxy is done when it is asked for again, though the table has it', async () => {
  const authority = pemBlock('CERTIFICATE', Buffer.from('a'))
  const certificate = authority + pemBlock('PRIVATE KEY', Buffer.from('k'))
  const revoked = pemBlock('X509 CRL', Buffer.from('r'))
  const entrance = { bind: local, port: await freePort(), certificate, authority, revoked }
  const end = { id: 'SA', host: 'office', port: 1, authority, certificate }
  const way = { owner: 'shop', id: 'V', address: '198.19.0.2', port: 1, subnet: '10.0.0.0/24', end }
  for (const change of [
    (router: HaproxyRouter) => router.admit(entrance, control),
    (router: HaproxyRouter) => router.lead('shop', [way], control),
  ]) {
    const { router, told } = scripted({ dies: false })
    await assert.rejects(change(router), { code: 'host-failed' })
    await change(router)
    await change(router)
    assert.equal(told.filter((each) => each === 'servers').length, 2)
  }
})

test('a table that could not be written for a reason that nobody knows is no table of the next change', async () => {
  const { router, told } = scripted({ dies: false })
  await assert.rejects(router.apply('shop', { app: 'shop', http: [], tcp: [] }, control), {
    code: 'host-failed',
  })
  await assert.rejects(router.apply('bad', { app: 'bad', http: [], tcp: [] }, control), TypeError)
  await router.apply('blog', { app: 'blog', http: [], tcp: [] }, control)
  assert.ok(told.includes('table of blog,shop'))
})
