import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer as createTlsHttpServer } from 'node:https'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { before, describe, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { WebSocket, WebSocketServer } from 'ws'
import { appOwner } from '../../src/domain/owner.ts'
import { plainRouting } from '../../src/domain/routing.ts'
import type { AppRoutes, Server } from '../../src/router/route-table.ts'
import { passesOf } from '../../src/router/visitor-rules.ts'
import { until } from '../../src/lib/poll.ts'
import { killProcess } from '../support/daemon-rack.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import {
  backend,
  control,
  freePort,
  get,
  local,
  startCopy,
  startRouter,
  webApp,
  workerOf,
} from '../support/routers.ts'
import { deployPlan } from '../support/deploy-plan.ts'

const run = promisify(execFile)

/** Which copy each of sixty clients meets, told apart by address, header and path. */
async function whereClientsGo(port: number): Promise<Map<number, string>> {
  const clients = Array.from({ length: 60 }, (_, index) => index + 2)
  const answers = clients.map(async (client): Promise<[number, string]> => {
    const more = { localAddress: `127.0.0.${client}`, path: `/items/${client}` }
    const { body } = await get(port, 'shop.localhost', { 'x-tenant': `tenant-${client}` }, more)
    return [client, body]
  })
  return new Map(await Promise.all(answers))
}

/** A server of raw connections behind a tcp port of the router. */
async function startTcp(t: TestContext, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, local)
  await once(server, 'listening')
  t.after(() => server.close())
  return {
    process: 'PTTTTTTTTTT',
    release: 'R1',
    address: local,
    port: (server.address() as AddressInfo).port,
  }
}

function tcpApp(listenPort: number, servers: Server[], options: object): AppRoutes {
  const one = { ...backend(servers), ...options }
  return {
    app: 'queue',
    http: [],
    tcp: [{ type: 'mqtt', port: 1883, bind: local, listenPort, backend: one }],
  }
}

describe('labels of the router', { timeout: 300_000 }, () => {
  before(async () => {
    await run('haproxy', ['-v'])
    await run('openssl', ['version'])
  })

  for (const sticky of [{ by: 'source' }, { by: 'header', name: 'x-tenant' }, { by: 'uri' }] as const) {
    test(`sticky by ${sticky.by}: a client stays with its copy`, { timeout: 30_000 }, async (t) => {
      const place = await startRouter(t)
      const { router, httpPort } = place
      const copies = await Promise.all(
        ['PAAAAAAAAAA', 'PBBBBBBBBBB', 'PCCCCCCCCCC'].map((id) => startCopy(t, id, 'R1')),
      )
      const [first, second, third] = copies as [Server, Server, Server]
      await router.apply('shop', webApp('shop', [first, second], { sticky }), control)
      const before = await whereClientsGo(httpPort)
      assert.equal(new Set(before.values()).size, 2)
      assert.deepEqual(await whereClientsGo(httpPort), before)
      // One more copy, without a reload: who moves, moves to it.
      const worker = await workerOf(place)
      await router.apply('shop', webApp('shop', copies, { sticky }), control)
      assert.equal(await workerOf(place), worker)
      const after = await whereClientsGo(httpPort)
      const moved = [...after].filter(([client, copy]) => before.get(client) !== copy)
      assert.deepEqual(new Set(moved.map(([, copy]) => copy)), new Set([third.process]))
      assert.ok(moved.length < 40, `${moved.length} of 60 moved`)
      // A reload, and a start from the file, know the copies in another order.
      await router.apply('blog', webApp('blog', []), control)
      assert.notEqual(await workerOf(place), worker)
      assert.deepEqual(await whereClientsGo(httpPort), after)
      const { pid } = await router.status(control)
      await killProcess(pid!)
      await router.ensureRunning(control)
      assert.deepEqual(await whereClientsGo(httpPort), after)
      // A copy that leaves takes its own clients only.
      await router.retire({ app: 'shop', processes: [third.process], deadlineMs: 1000 }, control)
      assert.deepEqual(await whereClientsGo(httpPort), before)
    })
  }

  test('only allowed addresses come in, whatever they say of themselves', { timeout: 20_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1')
    const allowedSources = ['127.0.0.2', '127.0.1.0/24', '2001:db8::/32']
    const listenPort = await freePort()
    await router.apply('shop', webApp('shop', [copy], { allowedSources }), control)
    await router.apply('queue', tcpApp(listenPort, [copy], { allowedSources }), control)
    const from = async (localAddress: string, port = httpPort) =>
      await get(port, 'shop.localhost', { 'x-forwarded-for': '127.0.0.2' }, { localAddress })
    assert.equal((await from('127.0.0.2')).status, 200)
    assert.equal((await from('127.0.1.77')).status, 200)
    const refused = await from('127.0.0.3')
    assert.equal(refused.status, 403)
    assert.match(refused.body, /Your address may not use this app/)
    assert.equal((await from('127.0.0.2', listenPort)).status, 200)
    await assert.rejects(from('127.0.0.3', listenPort), { code: /ECONNRESET|EPIPE/ })
  })

  test('who has no account gets 401, and no file holds a password', { timeout: 20_000 }, async (t) => {
    const { router, httpPort, directory } = await startRouter(t)
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1')
    const accounts = [
      { user: 'admin', password: 'sesame: open "it"\\' },
      { user: 'gäst', password: 'påss' },
    ]
    const passes = passesOf(accounts, 'rack shop web')
    await router.apply('shop', webApp('shop', [copy], { passes }), control)
    await router.apply('open', webApp('open', [copy]), control)
    const as = async (user: string, password: string) => {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
      return (await get(httpPort, 'shop.localhost', { authorization })).status
    }
    const nobody = await get(httpPort, 'shop.localhost')
    assert.deepEqual([nobody.status, nobody.headers['www-authenticate']], [401, 'Basic realm="shop"'])
    for (const { user, password } of accounts) assert.equal(await as(user, password), 200, user)
    assert.equal(await as('admin', 'sesame'), 401)
    assert.equal(await as('admin', 'påss'), 401)
    assert.equal(await as('admin', ''), 401)
    assert.equal((await get(httpPort, 'shop.localhost', { authorization: 'Bearer x' })).status, 401)
    assert.equal((await get(httpPort, 'open.localhost')).status, 200)
    for (const name of await readdir(directory)) {
      if (name.endsWith('.sock')) continue
      assert.doesNotMatch(await readFile(join(directory, name), 'utf8'), /sesame|påss/, name)
    }
  })

  test(
    'silence ends a connection after the idle timeout, and talk does not',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t)
      const silent = await startCopy(t, 'PAAAAAAAAAA', 'R1', () => undefined)
      const echo = await startTcp(t, (socket) => socket.pipe(socket))
      const sockets = new WebSocketServer({ port: 0, host: local })
      await once(sockets, 'listening')
      t.after(() => sockets.close())
      sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
      const chat: Server = { ...silent, port: (sockets.address() as AddressInfo).port }
      const listenPort = await freePort()
      const options = { idleTimeoutMs: 1000 }
      await router.apply('shop', webApp('shop', [silent], options), control)
      await router.apply('chat', webApp('chat', [chat], options), control)
      await router.apply('queue', tcpApp(listenPort, [echo], options), control)
      const began = performance.now()
      assert.equal((await get(httpPort, 'shop.localhost')).status, 504)
      assert.ok(performance.now() - began >= 900)
      const tcp = connect(listenPort, local)
      const socket = new WebSocket(`ws://${local}:${httpPort}/`, { headers: { host: 'chat.localhost' } })
      await Promise.all([once(tcp, 'connect'), once(socket, 'open')])
      const closed = Promise.all([once(tcp, 'close'), once(socket, 'close')])
      for (let round = 0; round < 4; round += 1) {
        const echoed = Promise.all([once(tcp, 'data'), once(socket, 'message')])
        tcp.write('hello')
        socket.send('hello')
        await echoed
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      const quiet = performance.now()
      await closed
      assert.ok(performance.now() - quiet < 3000)
    },
  )

  test(
    'the PROXY protocol names the client, to copies of the file and of the moment',
    { timeout: 20_000 },
    async (t) => {
      const { router } = await startRouter(t)
      const lines: string[] = []
      const answering = (name: string) => (socket: Socket) => {
        socket.once('data', (chunk) => {
          const [line = ''] = chunk.toString('latin1').split('\r\n')
          lines.push(line)
          socket.end(line.startsWith('PROXY ') ? name : 'no PROXY line')
        })
      }
      const first = await startTcp(t, answering('first'))
      const second = { ...(await startTcp(t, answering('second'))), process: 'PUUUUUUUUUU' }
      const listenPort = await freePort()
      const ask = async () => {
        const socket = connect({ port: listenPort, host: local, localAddress: '127.0.0.9' }).setEncoding(
          'utf8',
        )
        return (await socket.toArray()).join('')
      }
      await router.apply('queue', tcpApp(listenPort, [first], { sendsProxy: true }), control)
      assert.equal(await ask(), 'first')
      await router.apply('queue', tcpApp(listenPort, [first, second], { sendsProxy: true }), control)
      const seen = new Set<string>()
      await until(async () => seen.add(await ask()).size === 2, { deadlineMs: 5000, what: 'both copies' })
      assert.deepEqual(seen, new Set(['first', 'second']))
      const clients = lines.filter((line) => line.startsWith('PROXY TCP4 127.0.0.9 127.0.0.1 '))
      assert.ok(clients.length >= 3)
      // The router's own checks begin with the line too.
      assert.ok(
        lines.every((line) => /^PROXY (TCP4|UNKNOWN)/.test(line)),
        lines.join('\n'),
      )
    },
  )

  test('TLS is spoken to the process, whose certificate is its own', { timeout: 20_000 }, async (t) => {
    const place = await startRouter(t)
    const { router, httpPort, directory } = place
    const files = { key: join(directory, 'tls.key'), cert: join(directory, 'tls.crt') }
    const subject = ['-subj', '/CN=process', '-days', '2', '-nodes', '-newkey', 'rsa:2048']
    await run('openssl', ['req', '-x509', ...subject, '-keyout', files.key, '-out', files.cert])
    const [key, cert] = await Promise.all([readFile(files.key), readFile(files.cert)])
    const start = async (id: string): Promise<Server> => {
      const server = createTlsHttpServer({ key, cert }, (request, response) => {
        response.end(request.url === '/up' ? 'well' : `${id} over TLS`)
      })
      server.listen(0, local)
      await once(server, 'listening')
      t.after(() => {
        server.closeAllConnections()
        server.close()
      })
      return { process: id, release: 'R1', address: local, port: (server.address() as AddressInfo).port }
    }
    const options = { isSecure: true as const, check: { kind: 'http' as const, path: '/up' } }
    const first = await start('PAAAAAAAAAA')
    await router.apply('shop', webApp('shop', [first], options), control)
    assert.equal((await get(httpPort, 'shop.localhost')).body, 'PAAAAAAAAAA over TLS')
    const worker = await workerOf(place)
    await router.apply('shop', webApp('shop', [first, await start('PBBBBBBBBBB')], options), control)
    assert.equal(await workerOf(place), worker)
    const bodies = [await get(httpPort, 'shop.localhost'), await get(httpPort, 'shop.localhost')].map(
      ({ body }) => body,
    )
    assert.deepEqual(new Set(bodies), new Set(['PAAAAAAAAAA over TLS', 'PBBBBBBBBBB over TLS']))
  })

  test(
    'a deploy that changes labels alone changes the router, and no copy',
    { timeout: 60_000 },
    async (t) => {
      const rack = await openDockerRack()
      t.after(async () => await rack.close())
      const script = `
      let text = ''
      require('net').createServer((socket) => socket.on('error', () => socket.destroy()).once('data', (chunk) => {
        text = chunk.toString('latin1').split('\\r\\n')[0]
        socket.end('HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text)
      })).listen(3000)
      process.on('SIGTERM', () => process.exit(0))`
      const image = await rack.image('node:24-slim')
      const health = { ...processPlan().health, path: '/up' }
      const served = servesHttp(3000, ['shop.localhost'])
      const web = processPlan({ image, command: ['node', '-e', script], count: 2, health, ...served })
      const deploy = async (overrides: Partial<typeof web>) =>
        await deployPlan(
          rack.engine,
          { ...planOf([{ ...web, ...overrides }]), rack: rack.rack },
          controlFor(60_000),
        )
      await deploy({})
      assert.equal((await get(rack.httpPort, 'shop.localhost')).body, 'GET / HTTP/1.1')
      const ids = (await rack.engine.processes({ owner: appOwner('shop') }, controlFor(60_000)))
        .map(({ id }) => id)
        .sort()
      const routing = {
        ...plainRouting,
        auth: [{ user: 'admin', password: 'sesame' }],
        sticky: { by: 'source' as const },
      }
      const ports = (served.ports ?? []).map((port) => ({ ...port, proxy: 'v1' as const }))
      const { replaced, kept } = await deploy({ routing, ports })
      assert.deepEqual([replaced, kept], [[], ['web']])
      assert.equal((await get(rack.httpPort, 'shop.localhost')).status, 401)
      const authorization = `Basic ${Buffer.from('admin:sesame').toString('base64')}`
      assert.match(
        (await get(rack.httpPort, 'shop.localhost', { authorization })).body,
        /^PROXY TCP4 127\.0\.0\.1 /,
      )
      await deploy({ routing, ports })
      const after = (await rack.engine.processes({ owner: appOwner('shop') }, controlFor(60_000)))
        .map(({ id }) => id)
        .sort()
      assert.deepEqual(after, ids)
      // New copies pass a gate that sends the line too.
      await deploy({ routing, ports, environment: { CHANGED: '1' } })
      assert.match(
        (await get(rack.httpPort, 'shop.localhost', { authorization })).body,
        /^PROXY TCP4 127\.0\.0\.1 /,
      )
      await deploy({})
      assert.equal((await get(rack.httpPort, 'shop.localhost')).body, 'GET / HTTP/1.1')
    },
  )
})
