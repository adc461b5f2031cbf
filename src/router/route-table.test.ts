import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clashesOf, withApp } from './check-table.ts'
import { ownNamesOf } from './domains.ts'
import {
  allRoutes,
  appOfBackend,
  backendName,
  readServerName,
  serverName,
  withoutProcesses,
} from './route-table.ts'
import type { AppRoutes, Backend, RouteTable } from './route-table.ts'

const empty: RouteTable = { httpBind: '0.0.0.0', httpPort: 8080, apps: [] }

function backend(processes: string[] = []): Backend {
  const servers = processes.map((processId) => ({
    process: processId,
    release: 'R1',
    address: '172.20.0.2',
    port: 3000,
  }))
  return {
    check: { kind: 'tcp' },
    intervalMs: 2000,
    timeoutMs: 1000,
    rise: 1,
    fall: 3,
    drainMs: 60_000,
    servers,
  }
}

function app(
  name: string,
  change: Partial<{ hosts: string[]; backend: Partial<Backend>; type: string }> = {},
): AppRoutes {
  const { hosts = [`${name}.localhost`], type = 'web' } = change
  return {
    app: name,
    http: [{ type, port: 3000, hosts, backend: { ...backend(), ...change.backend } }],
    tcp: [],
  }
}

function tcpApp(name: string, listenPort: number, bind = '0.0.0.0'): AppRoutes {
  return { app: name, http: [], tcp: [{ type: 'db', port: 5432, bind, listenPort, backend: backend() }] }
}

function udpApp(name: string, listenPort: number, bind = '0.0.0.0'): AppRoutes {
  const udp = [{ type: 'dns', port: 5353, bind, listenPort, processes: ['P1', 'P2'] }]
  return { app: name, http: [], tcp: [], udp }
}

test('a service has routes apart from the app of its name, and a refusal says which it is', () => {
  const both = withApp(withApp(empty, 'db', tcpApp('db', 5432)), '_db', tcpApp('_db', 5433))
  assert.deepEqual(
    both.apps.map((routes) => routes.app),
    ['_db', 'db'],
  )
  const names = allRoutes(both).map(backendName)
  assert.deepEqual(names.map(appOfBackend), ['_db', 'db'])
  assert.deepEqual(withApp(both, 'db', null).apps, [tcpApp('_db', 5433)])
  assert.throws(() => withApp(both, 'shop', tcpApp('shop', 5433)), {
    code: 'port-taken',
    message: 'port 5433 is held by the service db (db)',
    details: { port: 5433, service: 'db' },
  })
  assert.throws(() => withApp(both, '_db', tcpApp('_db', 5432)), {
    message: 'port 5432 is held by the app db (db)',
    hint: /^Give db another/,
    details: { port: 5432, app: 'db' },
  })
})

test('names are unique, hold only what HAProxy reads, and can be read back', () => {
  const route = app('shop', { type: 'web.one two/ä' }).http[0]!
  const name = backendName({ kind: 'http', app: 'shop', route })
  assert.match(name, /^[A-Za-z0-9_.:-]+$/)
  assert.equal(appOfBackend(name), 'shop')
  assert.equal(appOfBackend('no-such-host'), null)
  const other = backendName({ kind: 'http', app: 'shop', route: { ...route, type: 'web:2eone two/ä' } })
  assert.notEqual(name, other)
  const server = { process: 'P.1/ä', release: 'R:2' }
  assert.deepEqual(readServerName(serverName(server)), server)
})

test('names that apps have by themselves are each told once, those of TLS ports too, the first of each before the rest', () => {
  const shop = app('shop', { hosts: ['shop.localhost', 'web.shop.localhost'] })
  const cache = { type: 'cache', port: 6379, bind: '0.0.0.0', listenPort: 6379, backend: backend() }
  const tcp = [
    { ...cache, tls: { hosts: ['cache.shop.localhost'] } },
    { ...cache, listenPort: 6380 },
  ]
  assert.deepEqual(ownNamesOf({ apps: [{ ...shop, tcp }, app('blog')] }), [
    'shop.localhost',
    'cache.shop.localhost',
    'blog.localhost',
    'web.shop.localhost',
  ])
})

test('an app is replaced whole, and taken out', () => {
  const one = withApp(withApp(empty, 'shop', app('shop')), 'blog', app('blog'))
  assert.deepEqual(
    one.apps.map((known) => known.app),
    ['blog', 'shop'],
  )
  const two = withApp(one, 'shop', app('shop', { hosts: ['new.example.org'] }))
  assert.deepEqual(two.apps[1]?.http[0]?.hosts, ['new.example.org'])
  assert.deepEqual(
    withApp(two, 'shop', null).apps.map((known) => known.app),
    ['blog'],
  )
})

test('copies are taken out of every route of their app, and of no other', () => {
  const both = { ...app('shop', { backend: backend(['P1', 'P2']) }), tcp: tcpApp('shop', 5000).tcp }
  both.tcp[0]!.backend = backend(['P1'])
  both.udp = udpApp('shop', 53).udp!
  const table = withApp(withApp(empty, 'shop', both), 'blog', app('blog', { backend: backend(['P1']) }))
  const [blog, shop] = withoutProcesses(table, 'shop', ['P1']).apps
  assert.deepEqual(
    shop?.http[0]?.backend.servers.map((server) => server.process),
    ['P2'],
  )
  assert.deepEqual(shop?.tcp[0]?.backend.servers, [])
  assert.deepEqual(shop?.udp?.[0]?.processes, ['P2'])
  assert.equal(blog?.http[0]?.backend.servers.length, 1)
})

test('a host name that another app holds is refused, naming the holder', () => {
  const table = withApp(empty, 'shop', app('shop'))
  const thief = app('aaa', { hosts: ['shop.localhost'] })
  assert.throws(() => withApp(table, 'aaa', thief), {
    code: 'conflict',
    message: /held by the app shop \(web\)/,
  })
})

test('all that others have is told at once', () => {
  const table = withApp(withApp(empty, 'queue', tcpApp('queue', 5000)), 'shop', app('shop'))
  const greedy = { ...tcpApp('aaa', 5000), http: app('aaa', { hosts: ['shop.localhost'] }).http }
  assert.deepEqual(
    clashesOf(table, greedy).map(({ code }) => code),
    ['conflict', 'port-taken'],
  )
  assert.deepEqual(clashesOf(table, app('shop')), [])
})

test('a tcp port that is held is refused, naming the holder', () => {
  const table = withApp(empty, 'queue', tcpApp('queue', 5000))
  const taken = { code: 'port-taken', message: /port 5000 is held by the app queue \(db\)/ }
  assert.throws(() => withApp(table, 'aaa', tcpApp('aaa', 5000)), taken)
  assert.throws(() => withApp(table, 'aaa', tcpApp('aaa', 5000, '127.0.0.1')), taken)
  assert.throws(() => withApp(table, 'aaa', tcpApp('aaa', 8080)), { message: /held by the HTTP router/ })
  const apart = withApp(
    withApp(empty, 'a', tcpApp('a', 5000, '127.0.0.1')),
    'b',
    tcpApp('b', 5000, '127.0.0.2'),
  )
  assert.equal(apart.apps.length, 2)
})

test('a udp port that is held is refused, naming the holder, and is another than that of tcp', () => {
  const table = withApp(empty, 'names', udpApp('names', 53))
  const taken = { code: 'port-taken', message: 'udp port 53 is held by the app names (dns)' }
  assert.throws(() => withApp(table, 'aaa', udpApp('aaa', 53)), taken)
  assert.throws(() => withApp(table, 'aaa', udpApp('aaa', 53, '127.0.0.1')), taken)
  const beside = withApp(withApp(table, 'aaa', tcpApp('aaa', 53)), 'bbb', udpApp('bbb', empty.httpPort))
  assert.equal(beside.apps.length, 3)
  const twice = { ...udpApp('aaa', 54), udp: [...udpApp('aaa', 54).udp!, ...udpApp('aaa', 54).udp!] }
  assert.throws(() => withApp(empty, 'aaa', twice), { code: 'port-taken' })
})

test('nothing that could end its word or line gets into the configuration', () => {
  const bad: AppRoutes[] = [
    app('shop', { hosts: ['a b'] }),
    app('shop', { hosts: ['a\nglobal'] }),
    app('shop', { hosts: ['UPPER.localhost'] }),
    app('shop', { backend: { check: { kind: 'http', path: '/a b' } } }),
    app('shop', { backend: { check: { kind: 'http', path: '/a\n' } } }),
    app('shop', { backend: { check: { kind: 'http', path: 'a' } } }),
    app('shop', { backend: { allowedSources: ['0.0.0.0/0 }'] } }),
    app('shop', { backend: { allowedSources: [] } }),
    app('shop', { backend: { servers: [{ process: 'P1', release: 'R1', address: 'a host', port: 1 }] } }),
    app('shop', { backend: backend(['P1', 'P1']) }),
    app('shop', { backend: { rise: 0 } }),
    app('shop', { backend: { intervalMs: 1.5 } }),
    tcpApp('shop', 65_536),
    tcpApp('shop', 5000, 'eth0'),
  ]
  for (const routes of bad) {
    assert.throws(() => withApp(empty, 'shop', routes), { code: 'invalid' }, JSON.stringify(routes))
  }
})
