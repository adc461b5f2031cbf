import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../../../test/support/golden.ts'
import { renderTable } from './haproxy-config.ts'
import { checkTable, type Backend, type RouteTable } from './route-table.ts'
import { passesOf } from './visitor-rules.ts'

const settings = { directory: '/var/lib/rack/main/router', hardStopAfterMs: 21_600_000 }
const server = (process: string, last: number) => ({
  process,
  release: 'RAAAAAAAAAA',
  address: `172.20.0.${last}`,
  port: 3000,
})
const backend: Backend = {
  check: { kind: 'http', path: "/health?it's=1" },
  intervalMs: 2000,
  timeoutMs: 1000,
  rise: 2,
  fall: 3,
  drainMs: 60_000,
  servers: [server('PAAAAAAAAAA', 2), server('PBBBBBBBBBB', 3)],
}
const plain: Backend = { ...backend, check: { kind: 'tcp' }, servers: [] }
const table: RouteTable = {
  httpBind: '0.0.0.0',
  httpPort: 80,
  apps: [
    {
      app: 'guestbook',
      http: [{ type: 'web', port: 3000, hosts: ['web.guestbook.localhost', 'guestbook.localhost'], backend }],
      tcp: [
        {
          type: 'smtp',
          port: 25,
          bind: '127.0.0.1',
          listenPort: 2525,
          backend: {
            ...plain,
            servers: [server('PCCCCCCCCCC', 4)],
            idleTimeoutMs: 30_000,
            allowedSources: ['10.0.0.0/8'],
          },
        },
      ],
    },
    {
      app: 'shop',
      http: [
        {
          type: 'web',
          port: 8000,
          hosts: ['shop.localhost'],
          backend: {
            ...plain,
            sticky: { by: 'source' },
            idleTimeoutMs: 3_600_000,
            allowedSources: ['10.0.0.0/8', '::1'],
          },
        },
      ],
      tcp: [],
    },
  ],
}

test('the configuration of an empty table', () => {
  const { config, hosts } = renderTable({ httpBind: '::', httpPort: 8080, apps: [] }, settings)
  assertGolden('router/empty.cfg', config)
  assert.equal(hosts, '')
})

test('the configuration of every kind of route', () => {
  const { config, hosts } = renderTable(table, { ...settings, runAs: { user: 'haproxy', group: 'haproxy' } })
  assertGolden('router/routes.cfg', config)
  assertGolden('router/routes.map', hosts)
})

test('the configuration of the labels that treat visitors', () => {
  const networks = Array.from({ length: 45 }, (_, index) => `10.${index}.0.0/16`)
  const accounts = Array.from({ length: 21 }, (_, index) => ({ user: `user${index}`, password: 'p:w' }))
  const strict: Backend = {
    ...backend,
    idleTimeoutMs: 30_000,
    allowedSources: [...networks, '2001:db8::/32'],
    passes: passesOf(accounts, 'rack desk web'),
    sendsProxy: true,
    isSecure: true,
  }
  const http = (type: string, part: Partial<Backend>) => {
    return { type, port: 3000, hosts: [`${type}.localhost`], backend: { ...strict, ...part } }
  }
  const tcp = [
    { type: 'mqtt', port: 1883, bind: '0.0.0.0', listenPort: 1883, backend: { ...strict, ...plain } },
  ]
  const routes = [
    http('web', { sticky: { by: 'header', name: 'X-Tenant' } }),
    http('files', { sticky: { by: 'uri' } }),
  ]
  const desk: RouteTable = { httpBind: '::', httpPort: 80, apps: [{ app: 'desk', http: routes, tcp }] }
  const { config } = renderTable(checkTable(desk), settings)
  assertGolden('router/visitors.cfg', config)
  assert.doesNotMatch(config, /p:w/)
  const widest = Math.max(...config.split('\n').map((line) => line.split(/\s+/).length))
  assert.ok(widest <= 60, `${widest} words in a line; HAProxy reads 64`)
  assert.ok(config.split('\n').every((line) => line.length < 2000))
})

test('the structure names everything but the servers', () => {
  const { structure } = renderTable(table, settings)
  const change = (part: Partial<Backend>, hosts = ['guestbook.localhost', 'web.guestbook.localhost']) => {
    const [first, ...others] = table.apps
    const http = [{ ...first!.http[0]!, hosts, backend: { ...backend, ...part } }]
    return renderTable({ ...table, apps: [{ ...first!, http }, ...others] }, settings).structure
  }
  assert.equal(change({}), structure)
  assert.equal(change({ servers: [] }), structure)
  assert.equal(change({ servers: [server('PZZZZZZZZZZ', 9)] }), structure)
  assert.equal(change({ drainMs: 1 }), structure)
  assert.notEqual(change({ intervalMs: 3000 }), structure)
  assert.notEqual(change({ check: { kind: 'tcp' } }), structure)
  assert.notEqual(change({ sticky: { by: 'source' } }), structure)
  assert.notEqual(change({ passes: passesOf([{ user: 'a', password: 'b' }], '') }), structure)
  assert.notEqual(change({ sendsProxy: true }), structure)
  assert.notEqual(change({}, ['guestbook.localhost']), structure)
  assert.notEqual(renderTable({ ...table, httpPort: 81 }, settings).structure, structure)
})
