import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { connect, type TLSSocket } from 'node:tls'
import { connect as connectPlain, createServer } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { CertificateSource } from '../../src/domain/certificate.ts'
import type { Domain } from '../../src/domain/domain-name.ts'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import type { AppRoutes, HttpRoute, TlsEnd } from '../../src/router/route-table.ts'
import {
  backend,
  control,
  copyAt,
  freePort,
  get,
  local,
  startCopy,
  startRouter,
  webApp,
  workerOf,
} from '../support/routers.ts'

const span = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 90 * 86_400_000) }
const authority = await createAuthority({ name: 'Rack test', ...span })

async function startTls(t: TestContext, domains: readonly Domain[] = []) {
  const certificates: CertificateSource = {
    kept: () => [],
    authorityId: async () => 'aa',
    issue: async (name) => {
      const pair = await issueCertificate({ authority, names: [name], ...span, usages: ['server'] })
      return { chain: pair.certificate, key: pair.key }
    },
  }
  const port = await freePort()
  return {
    ...(await startRouter(t, { https: { port, certificates }, domains: { current: () => domains } })),
    port,
  }
}

async function ask(port: number, host: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options = { port, host: local, servername: host, ca: authority.certificate, agent: false as const }
  request({ ...options, headers: { host } }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  return { status: response.statusCode ?? 0, body: (await response.setEncoding('utf8').toArray()).join('') }
}

/** A copy behind a raw port: says its name, then gives back what it gets. */
async function startSaying(t: TestContext, name: string) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(name)
    socket.pipe(socket)
  }).listen(0, local)
  await once(server, 'listening')
  t.after(() => server.close())
  return copyAt(server, name)
}

async function cacheApp(
  t: TestContext,
  app: string,
  listenPort: number,
  end: Partial<TlsEnd> = {},
): Promise<AppRoutes> {
  const tls = { hosts: [`cache.${app}.localhost`], ...end }
  const servers = [await startSaying(t, `P${app.toUpperCase()}`)]
  return {
    app,
    http: [],
    tcp: [{ type: 'cache', port: 6379, bind: local, listenPort, tls, backend: backend(servers) }],
  }
}

/** What is said by whom a name leads to, and for whom its certificate is; null where the connection is closed. */
async function hear(
  port: number,
  servername: string,
): Promise<{ said: string; name: string | undefined } | null> {
  const name = servername === '' ? {} : { servername }
  const socket: TLSSocket = connect({ port, host: local, rejectUnauthorized: false, ...name })
  socket.on('error', () => undefined)
  const { promise, resolve } = Promise.withResolvers<string | null>()
  socket.once('data', (piece: Buffer) => resolve(String(piece)))
  socket.once('close', () => resolve(null))
  const said = await promise
  const certificate = socket.getPeerCertificate()
  socket.destroy()
  return said === null ? null : { said, name: certificate.subjectaltname }
}

const withAt = (routes: AppRoutes, more: Partial<HttpRoute>): AppRoutes => ({
  ...routes,
  http: routes.http.map((route) => ({ ...route, ...more })),
})

describe('ports where TLS ends at the router', { timeout: 300_000 }, () => {
  test('a tls port is one app’s: TLS ends there, whatever name is asked for, and bytes go through', async (t) => {
    const { router } = await startTls(t)
    const listenPort = await freePort()
    await router.apply('shop', await cacheApp(t, 'shop', listenPort), control)
    for (const name of ['cache.shop.localhost', ''])
      assert.deepEqual(
        await hear(listenPort, name),
        { said: 'PSHOP', name: 'DNS:cache.shop.localhost' },
        name,
      )
    const believing = connect({
      port: listenPort,
      host: local,
      servername: 'cache.shop.localhost',
      ca: authority.certificate,
    })
    t.after(() => believing.destroy())
    await once(believing, 'secureConnect')
    assert.equal(String((await once(believing, 'data'))[0]), 'PSHOP')
    believing.write('again')
    assert.equal(String((await once(believing, 'data'))[0]), 'again')
    await assert.rejects(router.apply('blog', await cacheApp(t, 'blog', listenPort), control), {
      code: 'port-taken',
      message: `port ${listenPort} is held by the app shop (cache)`,
    })
    const inClear = connectPlain(listenPort, local)
    t.after(() => inClear.destroy())
    inClear.write('PING\r\n')
    const heard = Buffer.concat((await inClear.toArray()) as Buffer[])
    assert.doesNotMatch(heard.toString('latin1'), /PSHOP|PING/)
  })

  test('a shared one leads by the name that is asked for; a domain comes and leaves without a reload', async (t) => {
    const domains: Domain[] = []
    const place = await startTls(t, domains)
    const { router } = place
    const listenPort = await freePort()
    const allowed = { isShared: true as const }
    await router.apply('shop', await cacheApp(t, 'shop', listenPort, allowed), control)
    await router.apply('blog', await cacheApp(t, 'blog', listenPort, allowed), control)
    const said = async (name: string) => (await hear(listenPort, name))?.said ?? null
    assert.deepEqual(
      [
        await said('cache.shop.localhost'),
        await said('CACHE.blog.localhost'),
        await said('x.localhost'),
        await said(''),
      ],
      ['PSHOP', 'PBLOG', null, null],
    )
    const worker = await workerOf(place)
    const since = span.from.toISOString()
    domains.push({ name: 'redis.example.com', app: 'blog', process: null, since })
    domains.push({ name: '*.example.com', app: 'shop', process: 'cache', since })
    await router.ensureRunning(control)
    assert.deepEqual(await hear(listenPort, 'redis.example.com'), {
      said: 'PBLOG',
      name: 'DNS:redis.example.com',
    })
    assert.equal(await said('any.example.com'), 'PSHOP')
    domains.length = 0
    await router.ensureRunning(control)
    assert.equal(await said('redis.example.com'), null)
    assert.equal(await workerOf(place), worker, 'no reload')
    await assert.rejects(router.apply('alone', await cacheApp(t, 'alone', listenPort), control), {
      code: 'port-taken',
    })
    await router.apply('blog', null, control)
    assert.deepEqual(
      [await said('cache.blog.localhost'), await said('cache.shop.localhost')],
      [null, 'PSHOP'],
    )
  })

  test('https may have ports of its own, which apps share by name', async (t) => {
    const { router, port, httpPort } = await startTls(t)
    const own = await freePort()
    const shop = webApp('shop', [await startCopy(t, 'PSHOP', 'R1')])
    const blog = webApp('blog', [await startCopy(t, 'PBLOG', 'R1')])
    await router.apply('shop', withAt(shop, { at: ['http', own] }), control)
    await router.apply('blog', withAt(blog, { at: [own] }), control)
    assert.equal((await ask(own, 'shop.localhost')).body, 'PSHOP')
    assert.equal((await ask(own, 'blog.localhost')).body, 'PBLOG')
    assert.equal((await get(httpPort, 'shop.localhost')).body, 'PSHOP')
    const elsewhere = [await ask(port, 'shop.localhost'), await get(httpPort, 'blog.localhost')]
    assert.deepEqual(
      elsewhere.map(({ status }) => status),
      [404, 404],
    )
    await assert.rejects(router.apply('queue', await cacheApp(t, 'queue', own), control), {
      code: 'port-taken',
      message: new RegExp(`port ${own} is held by the app (shop|blog) \\(web\\)`),
    })
    await router.apply('shop', null, control)
    await router.apply('blog', null, control)
    await router.apply('queue', await cacheApp(t, 'queue', own), control)
  })

  test('http and https may lead to two ports of a process, and https alone is never served in clear', async (t) => {
    const { router, port, httpPort } = await startTls(t)
    const [inClear, byTls] = [await startCopy(t, 'PCLEAR', 'R1'), await startCopy(t, 'PTLS', 'R1')]
    const [first] = webApp('shop', [inClear]).http
    const second = { ...first!, port: 3443, backend: backend([byTls]) }
    const routes = {
      app: 'shop',
      http: [
        { ...first!, at: ['http' as const] },
        { ...second, at: ['https' as const] },
      ],
      tcp: [],
    }
    await router.apply('shop', routes, control)
    assert.equal((await get(httpPort, 'shop.localhost')).body, 'PCLEAR')
    assert.equal((await ask(port, 'shop.localhost')).body, 'PTLS')
    await router.apply(
      'shop',
      withAt(webApp('shop', [byTls]), { at: ['http', 'https'], isTlsOnly: true }),
      control,
    )
    const sent = await get(httpPort, 'shop.localhost', {}, { path: '/a?b' })
    assert.deepEqual([sent.status, sent.headers.location], [308, `https://shop.localhost:${port}/a?b`])
    assert.equal((await ask(port, 'shop.localhost')).body, 'PTLS')
  })

  test('a rack that speaks no TLS says so before anything changes', async (t) => {
    const { router } = await startRouter(t)
    const routes = await cacheApp(t, 'shop', await freePort())
    const [obstacle] = await router.obstacles(routes, control)
    assert.match(`${obstacle?.code} ${obstacle?.hint}`, /unsupported .*rack start --https-port 443/)
    await assert.rejects(router.apply('shop', routes, control), { code: 'unsupported' })
  })
})
