import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { WebSocket, WebSocketServer } from 'ws'
import type { AppRoutes, Server } from '../../src/router/route-table.ts'
import { createRouter } from '../../src/router/create-router.ts'
import { until } from '../../src/lib/poll.ts'
import { killProcess } from '../support/daemon-rack.ts'
import { startLoad } from '../support/load.ts'
import {
  backend,
  copyAt,
  control,
  freePort,
  get,
  keepAlive,
  local,
  startCopy,
  startEcho,
  startMortalCopy,
  startRouter,
  webApp,
  workerOf,
} from '../support/routers.ts'
import type { Answer } from '../support/routers.ts'

const run = promisify(execFile)

/** Requests of 32 connections for some seconds. */
async function load(
  port: number,
  host: string,
  seconds: number,
): Promise<{ requests: number; errors: string }> {
  const url = `http://${local}:${port}/`
  const { stdout } = await run('wrk', ['-t1', '-c32', `-d${seconds}s`, '-H', `Host: ${host}`, url])
  const errors = /Socket errors.*|Non-2xx.*/g[Symbol.match](stdout)?.join('; ') ?? ''
  return { requests: Number(/(\d+) requests in/.exec(stdout)?.[1]), errors }
}

/** The same routes to copies that listen on another port. */
function movedTo(port: number, routes: AppRoutes): AppRoutes {
  return { ...routes, http: routes.http.map((route) => ({ ...route, port })) }
}

describe('the router', { timeout: 300_000 }, () => {
  before(async () => {
    await run('haproxy', ['-v'])
    await run('which', ['wrk'])
  })

  test('serves hosts by name, and says what it does not know', { timeout: 20_000 }, async (t) => {
    const place = await startRouter(t)
    const { router, httpPort } = place
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', (incoming, response) =>
      response.end(JSON.stringify(incoming.headers)),
    )
    await router.apply('shop', webApp('shop', [copy]), control)
    await router.apply('empty', webApp('empty', []), control)
    const forged = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': '6.6.6.6',
      'x-real-ip': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
    }
    const reply = await get(httpPort, `Web.Shop.localhost:${httpPort}`, forged)
    const seen = JSON.parse(reply.body) as Record<string, string>
    assert.equal(seen['x-forwarded-for'], local)
    assert.equal(seen['x-forwarded-proto'], 'http')
    assert.equal(seen['x-forwarded-port'], String(httpPort))
    assert.equal(seen['x-forwarded-host']?.toLowerCase(), `web.shop.localhost:${httpPort}`)
    assert.ok(!reply.body.includes('6.6.6.6'))
    const unknown = await get(httpPort, 'nothing.localhost')
    assert.equal(unknown.status, 404)
    assert.match(unknown.body, /no site by this name/)
    const none = await get(httpPort, 'empty.localhost')
    assert.equal(none.status, 503)
    assert.match(none.body, /cannot answer at the moment/)
    await router.apply('shop', null, control)
    assert.equal((await get(httpPort, 'shop.localhost')).status, 404)
  })

  test(
    'copies come and go under load without a reload or an error, and are counted',
    { timeout: 60_000 },
    async (t) => {
      const place = await startRouter(t)
      const { router, httpPort } = place
      const old = await startCopy(t, 'PAAAAAAAAAA', 'ROLD')
      const fresh = await startCopy(t, 'PBBBBBBBBBB', 'RNEW')
      await router.apply('shop', webApp('shop', [old]), control)
      const worker = await workerOf(place)
      const measurement = await router.measure('shop', control)
      const running = startLoad({ port: httpPort, host: 'shop.localhost' })
      const isUnderLoad = async () => (await router.counters('shop', control)).requests > 100
      await until(isUnderLoad, { deadlineMs: 60_000, what: 'load' })
      await router.apply('shop', webApp('shop', [old, fresh]), control)
      await router.retire({ app: 'shop', processes: ['PAAAAAAAAAA'], deadlineMs: 5000 }, control)
      const isAnswering = () => (running.soFar.bodies['PBBBBBBBBBB'] ?? 0) > 0
      await until(isAnswering, { deadlineMs: 60_000, what: 'the fresh copy to answer' })
      const { requests, failures } = await running.stop()
      const measured = await measurement.end(control)
      assert.deepEqual(failures, {})
      assert.equal(await workerOf(place), worker)
      assert.equal((await get(httpPort, 'shop.localhost')).body, 'PBBBBBBBBBB')
      assert.deepEqual((await router.routes())[0]?.http[0]?.backend.servers, [fresh])
      assert.ok(measured.requests >= requests, `${measured.requests} counted, ${requests} made`)
      assert.equal(measured.failed, 0)
      assert.ok(measured.releases['ROLD']!.requests > 0)
      assert.equal(
        measured.releases['ROLD']!.requests + measured.releases['RNEW']!.requests,
        measured.requests,
      )
    },
  )

  test(
    'a new app costs a reload without an error, and no count goes back',
    { timeout: 20_000 },
    async (t) => {
      const place = await startRouter(t)
      const { router, httpPort } = place
      const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1')
      await router.apply('shop', webApp('shop', [copy]), control)
      const worker = await workerOf(place)
      const loaded = load(httpPort, 'shop.localhost', 3)
      await until(async () => (await router.counters('shop', control)).requests > 100, {
        deadlineMs: 3000,
        what: 'load',
      })
      const before = await router.counters('shop', control)
      await router.apply('blog', webApp('blog', [await startCopy(t, 'PCCCCCCCCCC', 'R2')]), control)
      assert.ok((await router.counters('shop', control)).requests >= before.requests)
      assert.notEqual(await workerOf(place), worker)
      assert.equal((await get(httpPort, 'blog.localhost')).body, 'PCCCCCCCCCC')
      const { requests, errors } = await loaded
      assert.equal(errors, '')
      const { requests: counted } = await router.counters('shop', control)
      assert.ok(counted >= requests, `${counted} counted, ${requests} made`)
    },
  )

  test(
    'another object adopts what runs, and a killed router is revived from its file',
    { timeout: 20_000 },
    async (t) => {
      const place = await startRouter(t)
      const { router, make, httpPort, directory } = place
      await router.apply('shop', webApp('shop', [await startCopy(t, 'PAAAAAAAAAA', 'R1')]), control)
      await get(httpPort, 'shop.localhost')
      const { pid } = await router.status(control)
      const adopter = make()
      await adopter.start(control)
      assert.equal((await adopter.status(control)).pid, pid)
      await rm(join(directory, 'haproxy.pid'))
      assert.equal((await adopter.status(control)).pid, pid)
      assert.deepEqual(await adopter.ensureRunning(control), { isRevived: false })
      const counted = await adopter.counters('shop', control)
      await killProcess(pid!)
      assert.deepEqual(await adopter.ensureRunning(control), { isRevived: true })
      assert.notEqual((await adopter.status(control)).pid, pid)
      assert.equal((await get(httpPort, 'shop.localhost')).body, 'PAAAAAAAAAA')
      assert.equal((await adopter.counters('shop', control)).requests, counted.requests + 1)
    },
  )

  test('a pid file that names another program is not believed', { timeout: 20_000 }, async (t) => {
    const { router, directory } = await startRouter(t)
    const { pid } = await router.status(control)
    await writeFile(join(directory, 'haproxy.pid'), `${process.pid}\n`)
    assert.equal((await router.status(control)).pid, pid)
  })

  test(
    'a change that was killed between the file and the running router is finished by the next one',
    { timeout: 20_000 },
    async (t) => {
      const { router, make, httpPort, directory } = await startRouter(t)
      const old = await startCopy(t, 'PAAAAAAAAAA', 'ROLD')
      const fresh = await startCopy(t, 'PBBBBBBBBBB', 'RNEW')
      await router.apply('shop', webApp('shop', [old]), control)
      // The file of the next table is written, and nobody told HAProxy: that is where a kill leaves it.
      const elsewhere = createRouter({ directory, httpBind: local, httpPort, program: 'haproxy' })
      const path = join(directory, 'routes.json')
      const table = JSON.parse(await readFile(path, 'utf8')) as { apps: AppRoutes[] }
      table.apps = [webApp('shop', [fresh]), webApp('blog', [old])]
      await writeFile(path, JSON.stringify(table))
      await elsewhere.start(control)
      assert.equal((await get(httpPort, 'blog.localhost')).body, 'PAAAAAAAAAA')
      table.apps = [webApp('blog', [fresh]), webApp('shop', [fresh])]
      await writeFile(path, JSON.stringify(table))
      const again = make()
      await again.apply('shop', webApp('shop', [old]), control)
      for (let round = 0; round < 4; round++) {
        assert.equal((await get(httpPort, 'shop.localhost')).body, 'PAAAAAAAAAA')
        assert.equal((await get(httpPort, 'blog.localhost')).body, 'PBBBBBBBBBB')
      }
      await again.ensureRunning(control)
      await again.apply('shop', webApp('shop', [old]), control)
    },
  )

  test('tcp ports are served, and belong to one app', { timeout: 20_000 }, async (t) => {
    const { router } = await startRouter(t)
    const server = await startEcho(t)
    const listenPort = await freePort()
    const tcp = (app: string): AppRoutes => ({
      app,
      http: [],
      tcp: [{ type: 'db', port: 5432, bind: local, listenPort, backend: backend([server]) }],
    })
    await router.apply('queue', tcp('queue'), control)
    const socket = connect(listenPort, local)
    socket.write('hello')
    const [piece] = (await once(socket, 'data')) as [Buffer]
    assert.equal(piece.toString(), 'hello')
    const refused = { code: 'port-taken', message: new RegExp(`port ${listenPort} is held by the app queue`) }
    await assert.rejects(router.apply('other', tcp('other'), control), refused)
    // Draining: the open connection is cut at the deadline, and only then.
    const closed = once(socket, 'close')
    const started = performance.now()
    const retired = await router.retire(
      { app: 'queue', processes: ['PDDDDDDDDDD'], deadlineMs: 600 },
      control,
    )
    assert.deepEqual(retired, { cutConnections: 1 })
    assert.ok(performance.now() - started >= 600)
    await closed
    assert.equal((await router.counters('queue', control)).releases['R1']?.requests, 1)
  })

  test(
    'a port that another program holds is refused, and nothing changes',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t)
      const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1')
      await router.apply('shop', webApp('shop', [copy]), control)
      const routes: AppRoutes = {
        app: 'queue',
        http: [],
        tcp: [{ type: 'db', port: 5432, bind: local, listenPort: copy.port, backend: backend([copy]) }],
      }
      await assert.rejects(router.apply('queue', routes, control), { code: 'port-taken' })
      assert.equal((await get(httpPort, 'shop.localhost')).status, 200)
      assert.equal((await router.routes()).length, 1)
    },
  )

  test(
    'a port lost to another program while the router was down keeps no other app down',
    { timeout: 20_000 },
    async (t) => {
      const { router, make, httpPort } = await startRouter(t)
      const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1')
      const listenPort = await freePort()
      await router.apply('shop', webApp('shop', [copy]), control)
      const tcp = [{ type: 'db', port: 5432, bind: local, listenPort, backend: backend([copy]) }]
      await router.apply('queue', { app: 'queue', http: [], tcp }, control)
      await router.stop(control)
      const thief = createTcpServer().listen(listenPort, local)
      await once(thief, 'listening')
      const again = make()
      await again.start(control)
      assert.equal((await get(httpPort, 'shop.localhost')).status, 200)
      const holder = { pid: process.pid, program: (await readFile('/proc/self/comm', 'utf8')).trim() }
      const unserved = [{ app: 'queue', process: 'db', port: listenPort, holder }]
      assert.deepEqual(await again.unservedPorts(), unserved)
      // One more object meets a router that runs without the port.
      const third = make()
      await third.start(control)
      await third.apply('shop', webApp('shop', [copy, await startCopy(t, 'PBBBBBBBBBB', 'R1')]), control)
      assert.equal((await third.routes()).length, 2)
      thief.close()
      await once(thief, 'close')
      await third.ensureRunning(control)
      assert.equal((await get(listenPort, 'any.localhost')).status, 200)
      assert.deepEqual(await third.unservedPorts(), [])
    },
  )

  test('the port of HTTP being held is said by its number', { timeout: 20_000 }, async (t) => {
    const { router, httpPort, make } = await startRouter(t)
    await router.stop(control)
    const thief = createTcpServer().listen(httpPort, local)
    await once(thief, 'listening')
    t.after(() => thief.close())
    await assert.rejects(make().start(control), {
      code: 'port-taken',
      message: new RegExp(`port ${httpPort}`),
    })
  })

  test('the serving process is not root', { timeout: 20_000 }, async (t) => {
    const place = await startRouter(t)
    const status = await readFile(`/proc/${await workerOf(place)}/status`, 'utf8')
    assert.doesNotMatch(status, /^Uid:\s+0\s/m)
  })

  test(
    'a client that idles through a reload and a deploy is answered by the new copy',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t)
      const old = await startCopy(t, 'PAAAAAAAAAA', 'ROLD')
      const fresh = await startCopy(t, 'PBBBBBBBBBB', 'RNEW')
      await router.apply('shop', webApp('shop', [old]), control)
      const client = keepAlive(t, httpPort)
      assert.match(await client.ask('shop.localhost'), /PAAAAAAAAAA$/)
      await router.apply('blog', webApp('blog', []), control)
      await router.apply('shop', webApp('shop', [old, fresh]), control)
      await router.retire({ app: 'shop', processes: ['PAAAAAAAAAA'], deadlineMs: 5000 }, control)
      assert.match(await client.ask('shop.localhost'), /PBBBBBBBBBB$/)
    },
  )

  for (const streaming of ['shop', 'blog']) {
    test(
      `a client that was reading a stream of ${streaming} at a reload and a deploy of shop is answered by the new copy`,
      { timeout: 20_000 },
      async (t) => {
        const { router, httpPort } = await startRouter(t)
        const { promise: streamed, resolve: endStream } = Promise.withResolvers<void>()
        const answer: Answer = (_request, response) => {
          response.writeHead(200, { 'content-length': 10 }).write('begin')
          void streamed.then(() => response.end('ended'))
        }
        const dying = await startMortalCopy(t, { process: 'PAAAAAAAAAA', release: 'ROLD', answer })
        const old = dying.copy
        const fresh = await startCopy(t, 'PBBBBBBBBBB', 'RNEW', (incoming, response) =>
          response.end(`PBBBBBBBBBB for ${String(incoming.headers['x-forwarded-for'])}`),
        )
        await router.apply('blog', webApp('blog', [old]), control)
        await router.apply('shop', webApp('shop', [old]), control)
        const client = keepAlive(t, httpPort)
        const stream = client.ask(`${streaming}.localhost`)
        await client.has('begin')
        await router.apply('other', webApp('other', []), control)
        const measurement = await router.measure('shop', control)
        await router.apply('shop', webApp('shop', [fresh]), control)
        const retirement = { app: 'shop', processes: ['PAAAAAAAAAA'], deadlineMs: 5000 }
        const retired = router.retire(retirement, control)
        // Of another app's stream nothing is waited for; both are served by one copy here, for brevity.
        if (streaming === 'blog') await retired
        endStream()
        await stream
        assert.deepEqual(await retired, { cutConnections: 0 })
        dying.end()
        assert.match(await client.ask('shop.localhost'), /PBBBBBBBBBB for 127\.0\.0\.1$/)
        const { requests, failed, releases } = await measurement.end(control)
        assert.deepEqual({ failed, new: releases['RNEW'] }, { failed: 0, new: { requests: 1, failed: 0 } })
        assert.ok(requests >= 1)
      },
    )
  }

  const routesWithoutOld: [string, (fresh: Server) => AppRoutes | null][] = [
    ['whose type has lost its route', () => ({ app: 'shop', http: [], tcp: [] })],
    ['whose app has lost its routes', () => null],
    ['whose type has another port now', (fresh) => movedTo(4000, webApp('shop', [fresh]))],
  ]
  for (const [whose, routesAfter] of routesWithoutOld) {
    test(`a copy ${whose} ends what it has begun before it has left`, { timeout: 20_000 }, async (t) => {
      const { router, httpPort } = await startRouter(t)
      const { promise: streamed, resolve: endStream } = Promise.withResolvers<void>()
      const answer: Answer = (_request, response) => {
        response.writeHead(200, { 'content-length': 10 }).write('begin')
        void streamed.then(() => response.end('ended'))
      }
      const leaving = await startMortalCopy(t, { process: 'PAAAAAAAAAA', release: 'ROLD', answer })
      await router.apply('shop', webApp('shop', [leaving.copy]), control)
      const client = keepAlive(t, httpPort)
      const stream = client.ask('shop.localhost')
      await client.has('begin')
      await router.apply('shop', routesAfter(await startCopy(t, 'PBBBBBBBBBB', 'RNEW')), control)
      const retirement = { app: 'shop', processes: ['PAAAAAAAAAA'], deadlineMs: 5000 }
      const interrupted = { signal: AbortSignal.timeout(500), report() {} }
      await assert.rejects(router.retire(retirement, interrupted), { name: 'TimeoutError' })
      // Whoever goes on after an interruption finds the request too, though no table has its copy any more.
      const retired = router.retire(retirement, control).finally(leaving.end)
      endStream()
      assert.match(await stream, /beginended$/)
      assert.deepEqual(await retired, { cutConnections: 0 })
    })
  }

  test(
    'a connection to a port that was taken away lasts until the deadline',
    { timeout: 20_000 },
    async (t) => {
      const { router } = await startRouter(t)
      const echo = createTcpServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(
        0,
        local,
      )
      await once(echo, 'listening')
      t.after(() => echo.close())
      const { port } = echo.address() as AddressInfo
      const copy: Server = { process: 'PDDDDDDDDDD', release: 'R1', address: local, port }
      const listenPort = await freePort()
      const tcp = [{ type: 'db', port: 5432, bind: local, listenPort, backend: backend([copy]) }]
      await router.apply('queue', { app: 'queue', http: [], tcp }, control)
      const socket = connect(listenPort, local)
      const closed = once(socket, 'close')
      const say = async (text: string) => {
        socket.write(text)
        const [piece] = (await once(socket, 'data')) as [Buffer]
        assert.equal(piece.toString(), text)
      }
      await say('before')
      await router.apply('queue', null, control)
      const retirement = { app: 'queue', processes: ['PDDDDDDDDDD'], deadlineMs: 600 }
      const retired = router.retire(retirement, control)
      await say('after')
      assert.deepEqual(await retired, { cutConnections: 1 })
      await closed
    },
  )

  test('what a replaced worker fails is counted', { timeout: 20_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const { promise: dying, resolve: die } = Promise.withResolvers<void>()
    const old = await startCopy(t, 'PAAAAAAAAAA', 'ROLD', (incoming, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('begin')
      void dying.then(() => incoming.socket.destroy())
    })
    await router.apply('shop', webApp('shop', [old]), control)
    const client = keepAlive(t, httpPort)
    const stream = assert.rejects(client.ask('shop.localhost'), /closed/)
    await client.has('begin')
    await router.apply('other', webApp('other', []), control)
    const measurement = await router.measure('shop', control)
    die()
    await stream
    await router.retire({ app: 'shop', processes: ['PAAAAAAAAAA'], deadlineMs: 5000 }, control)
    assert.equal((await measurement.end(control)).failed, 1)
  })

  test(
    'a refused connection goes to another copy; a request that was sent is never sent again',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t)
      const well = await startCopy(t, 'PAAAAAAAAAA', 'R1')
      const dead: Server = { process: 'PBBBBBBBBBB', release: 'R1', address: local, port: await freePort() }
      await router.apply('shop', webApp('shop', [well, dead], { intervalMs: 60_000 }), control)
      for (let round = 0; round < 6; round++)
        assert.equal((await get(httpPort, 'shop.localhost')).status, 200)
      assert.equal((await router.counters('shop', control)).failed, 0)
      let received = 0
      const rude = await startCopy(t, 'PCCCCCCCCCC', 'R1', (incoming) => {
        received++
        incoming.socket.destroy()
      })
      await router.apply('rude', webApp('rude', [rude, well]), control)
      const measurement = await router.measure('rude', control)
      const statuses = [await get(httpPort, 'rude.localhost'), await get(httpPort, 'rude.localhost')].map(
        ({ status }) => status,
      )
      assert.deepEqual(new Set(statuses), new Set([200, 502]))
      assert.equal(received, 1)
      const { requests, failed, releases } = await measurement.end(control)
      const both = { requests: 2, failed: 1 }
      assert.deepEqual({ requests, failed, releases }, { ...both, releases: { R1: both } })
    },
  )

  test(
    'a retirement that was interrupted is finished by the watch over the router',
    { timeout: 20_000 },
    async (t) => {
      const { router, make, httpPort } = await startRouter(t)
      const slow = await startCopy(t, 'PAAAAAAAAAA', 'ROLD', (_request, response) => response.write('begun'))
      const fresh = await startCopy(t, 'PBBBBBBBBBB', 'RNEW')
      const only = (...servers: Server[]) => webApp('shop', servers, { drainMs: 1000 })
      await router.apply('shop', only(slow), control)
      const stuck = get(httpPort, 'shop.localhost')
      const isBusy = async () => (await router.counters('shop', control)).releases['ROLD']?.requests === 1
      await until(isBusy, { deadlineMs: 2000, what: 'the slow request' })
      await router.apply('shop', only(slow, fresh), control)
      const interrupted = { signal: AbortSignal.timeout(300), report() {} }
      const retirement = { app: 'shop', processes: ['PAAAAAAAAAA'], deadlineMs: 60_000 }
      await assert.rejects(router.retire(retirement, interrupted), { name: 'TimeoutError' })
      assert.equal((await get(httpPort, 'shop.localhost')).body, 'PBBBBBBBBBB')
      const watch = make()
      let isCut = false
      stuck.catch(() => (isCut = true))
      const watchUntilCut = async () => {
        await watch.ensureRunning(control)
        return isCut
      }
      await until(watchUntilCut, { deadlineMs: 5000, intervalMs: 200, what: 'the slow request to be cut' })
      assert.deepEqual(await watch.retire({ ...retirement, deadlineMs: 1 }, control), { cutConnections: 0 })
    },
  )

  test('websockets pass, and outlive a reload', { timeout: 20_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => socket.send(`echo ${(data as Buffer).toString()}`)),
    )
    server.listen(0, local)
    await once(server, 'listening')
    t.after(() => server.close())
    const copy = copyAt(server, 'PEEEEEEEEEE')
    await router.apply('chat', webApp('chat', [copy]), control)
    const socket = new WebSocket(`ws://${local}:${httpPort}/`, { headers: { host: 'chat.localhost' } })
    await once(socket, 'open')
    const say = async (text: string) => {
      socket.send(text)
      const [data] = (await once(socket, 'message')) as [Buffer]
      return data.toString()
    }
    assert.equal(await say('one'), 'echo one')
    await router.apply('blog', webApp('blog', []), control)
    assert.equal(await say('two'), 'echo two')
    // It lives in the worker that the reload replaced, and is drained there.
    const closed = once(socket, 'close')
    const retired = await router.retire({ app: 'chat', processes: ['PEEEEEEEEEE'], deadlineMs: 500 }, control)
    assert.deepEqual(retired, { cutConnections: 1 })
    await closed
  })

  test(
    'a copy that fails its checks gets nothing, and what the client saw is counted',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t)
      let isWell = true
      const answer: Answer = (incoming, response) => {
        response.statusCode = incoming.url === '/health' && isWell ? 200 : 500
        response.end()
      }
      const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', answer)
      await router.apply(
        'shop',
        webApp('shop', [copy], { check: { kind: 'http', path: '/health' } }),
        control,
      )
      assert.equal((await get(httpPort, 'shop.localhost')).status, 500)
      isWell = false
      const isOut = async () => (await get(httpPort, 'shop.localhost')).status === 503
      await until(isOut, { deadlineMs: 5000, what: 'the copy to be taken out' })
      const { requests, failed, releases } = await router.counters('shop', control)
      assert.equal(requests, failed)
      assert.equal(releases['R1']?.requests, requests - 1)
    },
  )
})
