import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../test/support/golden.ts'
import { renderTable } from './haproxy-config.ts'
import { renderMap } from './map-changes.ts'
import { checkTable } from './check-table.ts'
import type { Backend, RouteTable } from './route-table.ts'
import { sharesOf, usualPatience } from './shares.ts'
import { passesOf } from './visitor-rules.ts'

const settings = {
  directory: '/var/lib/rack/main/router',
  hardStopAfterMs: 21_600_000,
  trustedProxies: [],
  shares: sharesOf(8000),
  patience: usualPatience,
  canHold: true,
  shown: null,
}
const server = (processId: string, last: number) => ({
  process: processId,
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
  holdMs: 30_000,
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
  const { config, maps } = renderTable({ httpBind: '::', httpPort: 8080, apps: [] }, settings)
  assertGolden('router/empty.cfg', config)
  assert.deepEqual(maps, [{ path: '/var/lib/rack/main/router/hosts.map', entries: new Map() }])
})

test('the configuration of every kind of route', () => {
  const { config, maps } = renderTable(table, { ...settings, runAs: { user: 'haproxy', group: 'haproxy' } })
  assertGolden('router/routes.cfg', config)
  assertGolden('router/routes.map', renderMap(maps[0]!.entries))
})

test('where HAProxy runs no program, or no route wants it, nothing waits', () => {
  const { config, hold } = renderTable(table, { ...settings, canHold: false })
  assert.equal(hold, null)
  assert.doesNotMatch(config, /lua|use-server/)
  const impatient = { ...backend, holdMs: 0 }
  const [first] = table.apps
  const app = { ...first!, http: [{ ...first!.http[0]!, backend: impatient }], tcp: [] }
  assert.doesNotMatch(renderTable({ ...table, apps: [app] }, settings).config, /lua|use-server/)
})

test('the configuration behind trusted proxies', () => {
  const trustedProxies = Array.from({ length: 45 }, (_, index) => `192.168.${index}.0/24`)
  const { config } = renderTable(table, { ...settings, trustedProxies })
  assertGolden('router/proxies.cfg', config)
  const widest = Math.max(...config.split('\n').map((line) => line.split(/\s+/).length))
  assert.ok(widest <= 60, `${widest} words in a line; HAProxy reads 64`)
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
  const desk: RouteTable = {
    httpBind: '::',
    httpPort: 80,
    apps: [{ app: 'desk', http: routes, tcp }],
  }
  const { config } = renderTable(checkTable(desk), settings)
  assertGolden('router/visitors.cfg', config)
  assert.doesNotMatch(config, /p:w/)
  const widest = Math.max(...config.split('\n').map((line) => line.split(/\s+/).length))
  assert.ok(widest <= 60, `${widest} words in a line; HAProxy reads 64`)
  assert.ok(config.split('\n').every((line) => line.length < 2000))
})

test('the structure names everything but servers and names', () => {
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
  assert.equal(change({ servers: [], isDue: true }), structure)
  assert.notEqual(change({ holdMs: 1000 }), structure)
  assert.notEqual(change({ intervalMs: 3000 }), structure)
  assert.notEqual(change({ check: { kind: 'tcp' } }), structure)
  assert.notEqual(change({ sticky: { by: 'source' } }), structure)
  assert.notEqual(change({ passes: passesOf([{ user: 'a', password: 'b' }], '') }), structure)
  assert.notEqual(change({ sendsProxy: true }), structure)
  assert.notEqual(change({}, ['other.localhost']), structure, 'its check asks by it')
  assert.equal(change({}, ['guestbook.localhost']), structure)
  assert.notEqual(renderTable({ ...table, httpPort: 81 }, settings).structure, structure)
  assert.notEqual(renderTable(table, { ...settings, shares: sharesOf(4000) }).structure, structure)
})

test('a shared port of TLS is one for each address: of its own name, map and routes', () => {
  const shared = (app: string, bind: string, idleTimeoutMs: number) => {
    const tls = { hosts: [`cache.${app}.localhost`], isShared: true as const }
    const own = { ...backend, check: { kind: 'none' as const }, idleTimeoutMs }
    const tcp = [{ type: 'cache', port: 6379, bind, listenPort: 6380, tls, backend: own }]
    return { app, http: [], tcp }
  }
  const apps = [shared('one', '0.0.0.0', 1000), shared('two', '127.0.0.1', 2000)]
  const { config, maps } = renderTable(
    { httpBind: '0.0.0.0', httpPort: 80, httpsPort: 443, apps },
    { ...settings, shown },
  )
  const parts = config.split(/^(?=frontend |backend )/m).filter((part) => part.startsWith('frontend tls-'))
  const facts = parts.map((part) => [
    /^frontend (\S+)/.exec(part)?.[1],
    /timeout client-fin (\d+)ms/.exec(part)?.[1],
    /router\/(tls-\S+\.map)/.exec(part)?.[1],
  ])
  assert.deepEqual(facts, [
    ['tls-0.0.0.0-6380', '1000', 'tls-0.0.0.0-6380.map'],
    ['tls-127.0.0.1-6380', '2000', 'tls-127.0.0.1-6380.map'],
  ])
  const own = maps.filter(({ path }) => path.includes('/tls-')).map(({ entries }) => [...entries.keys()])
  assert.deepEqual(own, [['cache.one.localhost'], ['cache.two.localhost']])
})

const shown = {
  challengesPath: '/var/lib/rack/main/router/challenges.map',
  challenges: new Map<string, string>(),
  defaultPath: '/var/lib/rack/main/router/certificates/own-aa-bb.pem',
  listPath: '/var/lib/rack/main/router/certificates.list',
  files: new Map([['shop.localhost', '/var/lib/rack/main/router/certificates/own-aa-cc.pem']]),
  redirectsPath: '/var/lib/rack/main/router/redirects.map',
  redirects: new Map<string, string>(),
}

test('the configuration with TLS', () => {
  const [, shop] = table.apps
  const route = { ...shop!.http[0]!, backend: { ...shop!.http[0]!.backend, hstsSeconds: 3600 } }
  const served = { ...table, httpsPort: 443, apps: [{ ...shop!, http: [route] }] }
  const rendered = renderTable(served, { ...settings, shown, trustedProxies: ['10.0.0.7'] })
  assertGolden('router/tls.cfg', rendered.config)
  const other = renderTable(served, {
    ...settings,
    shown: { ...shown, files: new Map(), redirects: new Map([['shop.localhost', 'https']]) },
    trustedProxies: ['10.0.0.7'],
  })
  assert.equal(other.structure, rendered.structure, 'what is shown needs no reload')
  const own = renderTable(served, { ...settings, shown, api: { host: 'example.com' } }).config
  const asked = 'use_backend rack-api if { req.fhdr(host),host_only -m str example.com }'
  assert.deepEqual([own.split(asked).length, own.split(asked)[0]!.includes('frontend https')], [2, true])
  const plain = renderTable({ ...served, httpsPort: 8443 }, { ...settings, shown }).config
  assert.match(plain, /location https:\/\/%\[req.fhdr\(host\),host_only\]:8443%\[pathq\]/)
})
