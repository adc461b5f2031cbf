import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { until } from '../../src/lib/poll.ts'
import type { AppRoutes } from '../../src/router/route-table.ts'
import { sharesOf } from '../../src/router/shares.ts'
import {
  backend,
  copyAt,
  control,
  freePort,
  get,
  local,
  startCopy,
  startEcho,
  startRouter,
  webApp,
} from '../support/routers.ts'
import type { Answer, Place } from '../support/routers.ts'

const connections = 240
const shares = sharesOf(connections)
const hang: Answer = () => undefined

/** Addresses of this machine, of which the router knows nothing yet. */
const addresses = (count: number, network = 1) =>
  Array.from({ length: count }, (_, index) => `127.0.${network}.${index + 1}`)

interface Flood {
  app: string
  /** Addresses that send. */
  from: string[]
  /** Requests of each of them, on a connection each. */
  each: number
}

interface Flooded {
  /** Settles when every request is answered, or closed: 0 is no answer. */
  statuses: Promise<number[]>
  /** What is answered by now. */
  answered: number[]
}

/** Requests that arrive whole, all at once. */
function flood(t: TestContext, port: number, { app, from, each }: Flood): Flooded {
  const answered: number[] = []
  const ask = async (localAddress: string) => {
    const socket = connect({ port, host: local, localAddress }).setEncoding('latin1')
    t.after(() => socket.destroy())
    socket.write(
      `POST / HTTP/1.1\r\nHost: ${app}.localhost\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody`,
    )
    const reply = await socket.toArray().catch(() => [])
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(reply.join(''))?.[1] ?? 0)
    answered.push(status)
    return status
  }
  const all = from.flatMap((address) => Array.from({ length: each }, () => ask(address)))
  return { statuses: Promise.all(all), answered }
}

const countOf = (statuses: number[], status: number) => statuses.filter((each) => each === status).length

/** Requests one after the other, each from an address of its own. */
async function statusesOf(port: number, app: string, from: string[]): Promise<Set<number>> {
  const statuses = new Set<number>()
  for (const localAddress of from)
    statuses.add((await get(port, `${app}.localhost`, {}, { localAddress })).status)
  return statuses
}

/** What the app has under way, as the router shows it. */
async function underWay({ router }: Pick<Place, 'router'>, app: string): Promise<number> {
  return (await router.status(control)).load?.apps[app]?.underWay ?? 0
}

describe('fair shares', { timeout: 180_000 }, () => {
  test(
    'an app that hangs fills its share and no more, and answers by itself',
    { timeout: 40_000 },
    async (t) => {
      const place = await startRouter(t, { connections, patience: { queueMs: 500 } })
      const { router, httpPort } = place
      const stuck = await startCopy(t, 'PAAAAAAAAAA', 'R1', hang)
      const well = await startCopy(t, 'PBBBBBBBBBB', 'R2')
      await router.apply('stuck', webApp('stuck', [stuck], { idleTimeoutMs: 4000 }), control)
      await router.apply('well', webApp('well', [well]), control)
      const measurement = await router.measure('stuck', control)
      const { statuses, answered } = flood(t, httpPort, { app: 'stuck', from: addresses(9), each: 20 })
      const isFull = async () => (await underWay(place, 'stuck')) === shares.copy && answered.length > 0
      await until(isFull, { deadlineMs: 4000, what: 'the share of the app to be full' })
      assert.deepEqual(await statusesOf(httpPort, 'well', addresses(50, 2)), new Set([200]))
      // An address that has too much under way at one app is served by the other.
      assert.deepEqual(await statusesOf(httpPort, 'well', addresses(9)), new Set([200]))
      const all = await statuses
      assert.deepEqual(new Set(all), new Set([503, 504]))
      assert.equal(countOf(all, 504), shares.copy)
      assert.equal(await underWay(place, 'stuck'), 0)
      const { requests, failed } = await measurement.end(control)
      assert.deepEqual({ requests, failed }, { requests: all.length, failed: all.length })
      assert.equal((await router.counters('well', control)).failed, 0)
    },
  )

  test(
    'however many apps hang, what is kept for the small ones is not theirs',
    { timeout: 40_000 },
    async (t) => {
      const place = await startRouter(t, { connections, patience: { queueMs: 500 } })
      const { router, httpPort } = place
      const greedy = ['greedy-a', 'greedy-b', 'greedy-c', 'greedy-d']
      for (const app of greedy) {
        const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', hang)
        await router.apply(app, webApp(app, [copy]), control)
      }
      await router.apply('well', webApp('well', [await startCopy(t, 'PBBBBBBBBBB', 'R2')]), control)
      const floods = greedy.map((app, index) =>
        flood(t, httpPort, { app, from: addresses(8, 10 + index), each: 15 }),
      )
      const isSettled = async () => {
        const each = await Promise.all(greedy.map((app) => underWay(place, app)))
        const open = each.reduce((sum, count) => sum + count, 0)
        const answered = floods.reduce((sum, one) => sum + one.answered.length, 0)
        return open + answered === 4 * 8 * 15 && open > 0
      }
      await until(isSettled, { deadlineMs: 8000, what: 'what is too much to be refused' })
      const { load } = await router.status(control)
      assert.ok(load !== null && load.connections < connections, JSON.stringify(load))
      assert.deepEqual(await statusesOf(httpPort, 'well', addresses(50, 2)), new Set([200]))
    },
  )

  test('one address has its share of an app, and others have theirs', { timeout: 30_000 }, async (t) => {
    const place = await startRouter(t, { connections })
    const { router, httpPort } = place
    const answers: (() => void)[] = []
    const slow = await startCopy(t, 'PAAAAAAAAAA', 'R1', (request, response) => {
      if (request.method === 'POST') answers.push(() => response.end('late'))
      else response.end('at once')
    })
    await router.apply('shop', webApp('shop', [slow]), control)
    const measurement = await router.measure('shop', control)
    const { statuses, answered } = flood(t, httpPort, { app: 'shop', from: ['127.0.0.5'], each: 50 })
    const isRefused = () => answered.length === 50 - shares.sourceAtApp
    await until(isRefused, { deadlineMs: 5000, what: 'what is too much to be refused' })
    assert.deepEqual(new Set(answered), new Set([429]))
    assert.deepEqual(await statusesOf(httpPort, 'shop', addresses(20, 3)), new Set([200]))
    for (const answer of answers) answer()
    assert.equal(countOf(await statuses, 200), shares.sourceAtApp)
    assert.deepEqual(await statusesOf(httpPort, 'shop', ['127.0.0.5']), new Set([200]))
    // Nothing of it was the app's fault.
    assert.equal((await measurement.end(control)).failed, 0)
  })

  test('streams of one HTTP/2 connection count like connections', { timeout: 30_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t, { connections })
    await router.apply('shop', webApp('shop', [await startCopy(t, 'PAAAAAAAAAA', 'R1', hang)]), control)
    const session = connectHttp2(`http://${local}:${httpPort}`)
    t.after(() => session.destroy())
    let refused = 0
    for (let index = 0; index < 60; index++) {
      const stream = session.request({ ':path': '/', ':authority': 'shop.localhost' })
      stream.on('error', () => undefined)
      stream.on('response', (head) => (refused += head[':status'] === 429 ? 1 : 0))
    }
    await until(() => refused === 60 - shares.sourceAtApp, {
      deadlineMs: 5000,
      what: 'the rest to be refused',
    })
  })

  test(
    'connections that say nothing are closed beyond the share of their address',
    { timeout: 30_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t, { connections })
      await router.apply('shop', webApp('shop', [await startCopy(t, 'PAAAAAAAAAA', 'R1')]), control)
      let closed = 0
      for (let index = 0; index < connections + 20; index++) {
        const socket = connect({ port: httpPort, host: local, localAddress: '127.0.0.5' })
        t.after(() => socket.destroy())
        socket.on('error', () => undefined).on('close', () => (closed += 1))
      }
      await until(() => closed === connections + 20 - shares.source, {
        deadlineMs: 5000,
        what: 'the rest to be closed',
      })
      assert.deepEqual(await statusesOf(httpPort, 'shop', addresses(20, 3)), new Set([200]))
    },
  )

  test(
    'behind a trusted proxy the share is the client’s, and the proxy has none',
    { timeout: 30_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t, { connections, trustedProxies: ['127.0.0.8'] })
      const stuck = await startCopy(t, 'PAAAAAAAAAA', 'R1', (request, response) => {
        if (request.headers['x-forwarded-for']?.toString().startsWith('203.0.113.7')) return
        response.end('well')
      })
      await router.apply('shop', webApp('shop', [stuck]), control)
      const of = async (client: string) => {
        const headers = { 'x-forwarded-for': client }
        return (await get(httpPort, 'shop.localhost', headers, { localAddress: '127.0.0.8' })).status
      }
      const answered: number[] = []
      for (let index = 0; index < 40; index++)
        void of('203.0.113.7').then(
          (status) => answered.push(status),
          () => undefined,
        )
      await until(() => answered.length === 40 - shares.sourceAtApp, {
        deadlineMs: 5000,
        what: 'the rest to be refused',
      })
      assert.deepEqual(new Set(answered), new Set([429]))
      for (let client = 1; client < 20; client++) assert.equal(await of(`198.51.100.${client}`), 200)
    },
  )

  test(
    'an address of IPv6 is its network, one of IPv4 is itself, also where both come in by one door',
    { timeout: 30_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t, {
        connections,
        httpBind: '::',
        trustedProxies: ['127.0.0.8'],
      })
      const slow = await startCopy(t, 'PAAAAAAAAAA', 'R1', (request, response) => {
        if (request.method === 'GET') response.end('well')
      })
      await router.apply('shop', webApp('shop', [slow]), control)
      const ask = async (client: string, method: string) => {
        const more = { localAddress: '127.0.0.8', method }
        return (await get(httpPort, 'shop.localhost', { 'x-forwarded-for': client }, more)).status
      }
      const answered: number[] = []
      for (let index = 0; index < 40; index++) {
        const each = ask(`2001:db8:1:1::${index.toString(16)}`, 'DELETE')
        each.then(
          (status) => answered.push(status),
          () => undefined,
        )
      }
      const isRefused = () => answered.length === 40 - shares.sourceAtApp
      await until(isRefused, { deadlineMs: 5000, what: 'the rest of the network to be refused' })
      assert.deepEqual(new Set(answered), new Set([429]))
      assert.equal(await ask('2001:db8:1:1::ffff', 'GET'), 429)
      assert.equal(await ask('2001:db8:1:2::1', 'GET'), 200)
      const { answered: ofOne } = flood(t, httpPort, { app: 'shop', from: ['127.0.0.5'], each: 40 })
      await until(() => ofOne.length === 40 - shares.sourceAtApp, {
        deadlineMs: 5000,
        what: 'the rest of the address',
      })
      assert.deepEqual(await statusesOf(httpPort, 'shop', addresses(20, 3)), new Set([200]))
    },
  )

  test('connections of a tcp port have shares too', { timeout: 30_000 }, async (t) => {
    const place = await startRouter(t, { connections })
    const { router, httpPort } = place
    const copy = await startEcho(t)
    const listenPort = await freePort()
    const queue: AppRoutes = {
      app: 'queue',
      http: [],
      tcp: [{ type: 'db', port: 5432, bind: local, listenPort, backend: backend([copy]) }],
    }
    await router.apply('queue', queue, control)
    await router.apply('shop', webApp('shop', [await startCopy(t, 'PAAAAAAAAAA', 'R1')]), control)
    let echoed = 0
    const open = (localAddress: string): Socket => {
      const socket = connect({ port: listenPort, host: local, localAddress })
      t.after(() => socket.destroy())
      socket.on('error', () => undefined).once('data', () => (echoed += 1))
      socket.write('hello')
      return socket
    }
    for (let index = 0; index < 50; index++) open('127.0.0.5')
    await until(() => echoed === shares.sourceAtApp, { deadlineMs: 5000, what: 'the share of the address' })
    for (const address of addresses(10)) for (let index = 0; index < 20; index++) open(address)
    const isFull = async () => (await underWay(place, 'queue')) >= shares.copy
    await until(isFull, { deadlineMs: 5000, what: 'the share of the app' })
    assert.ok((await underWay(place, 'queue')) <= shares.app)
    assert.deepEqual(await statusesOf(httpPort, 'shop', addresses(30, 3)), new Set([200]))
  })
})

describe('patience', { timeout: 300_000 }, () => {
  /** Far shorter than what is sent and read below takes as a whole. */
  const patience = { clientMs: 800, queueMs: 800, endedClientMs: 800, endedCopyMs: 800 }

  test(
    'what makes progress lives: a slow upload, a long download, a long poll',
    { timeout: 30_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t, { patience })
      const pieces = 8
      const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', (request, response) => {
        if (request.url === '/upload') {
          void request
            .toArray()
            .then((chunks) => response.end(String(Buffer.concat(chunks as Buffer[]).length)))
        } else if (request.url === '/poll') setTimeout(() => response.end('news'), 2500)
        else void sendSlowly((piece) => response.write(piece), pieces).then(() => response.end())
      })
      await router.apply('shop', webApp('shop', [copy], { idleTimeoutMs: 900 }), control)
      await router.apply('poll', webApp('poll', [copy], { idleTimeoutMs: 10_000 }), control)
      const upload = async () => {
        const socket = connect(httpPort, local).setEncoding('latin1')
        socket.write(
          `POST /upload HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\nContent-Length: ${pieces}\r\n\r\n`,
        )
        const reply = socket.toArray()
        await sendSlowly((piece) => socket.write(piece), pieces)
        return (await reply).join('')
      }
      const [uploaded, downloaded, polled, cut] = await Promise.all([
        upload(),
        get(httpPort, 'shop.localhost', {}, { path: '/download' }),
        get(httpPort, 'poll.localhost', {}, { path: '/poll' }),
        get(httpPort, 'shop.localhost', {}, { path: '/poll' }),
      ])
      assert.match(uploaded, /^HTTP\/1\.1 200[^]*\r\n\r\n8$/)
      assert.equal(downloaded.body.length, pieces)
      assert.deepEqual([polled.status, polled.body], [200, 'news'])
      assert.equal(cut.status, 504)
    },
  )

  test('who has sent all and closed that half is answered, however late', { timeout: 30_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t, { patience })
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', (_request, response) => {
      setTimeout(() => response.end('news'), 2500)
    })
    await router.apply('poll', webApp('poll', [copy]), control)
    const socket = connect({ port: httpPort, host: local, allowHalfOpen: true }).setEncoding('latin1')
    socket.end('GET / HTTP/1.1\r\nHost: poll.localhost\r\n\r\n')
    assert.match((await socket.toArray()).join(''), /^HTTP\/1\.1 200[^]*news$/)
  })

  test('a client that takes none of its answer is let go', { timeout: 30_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t, { patience })
    const { promise: isLetGo, resolve: letGo } = Promise.withResolvers<boolean>()
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', (_request, response) => {
      response.on('close', () => letGo(!response.writableFinished))
      response.end(Buffer.alloc(64 * 2 ** 20))
    })
    await router.apply('shop', webApp('shop', [copy]), control)
    const socket = connect(httpPort, local).pause()
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    assert.equal(await isLetGo, true)
  })

  test('a silent websocket lives on, and half of one does not', { timeout: 30_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t, { patience })
    const server = createServer()
    const sockets = new WebSocketServer({ noServer: true })
    const halfClosed = Promise.withResolvers<void>()
    // A copy that never closes its own half.
    server.on('upgrade', (request, socket, head) => {
      socket.on('end', halfClosed.resolve)
      if (request.url === '/half')
        sockets.handleUpgrade(request, socket, head, () =>
          socket.removeAllListeners('end').on('end', halfClosed.resolve),
        )
      else
        sockets.handleUpgrade(request, socket, head, (live) => live.on('message', (data) => live.send(data)))
    })
    server.listen(0, local)
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const copy = copyAt(server, 'PEEEEEEEEEE')
    await router.apply('chat', webApp('chat', [copy]), control)
    const live = new WebSocket(`ws://${local}:${httpPort}/`, { headers: { host: 'chat.localhost' } })
    await once(live, 'open')
    const half = connect({ port: httpPort, host: local, allowHalfOpen: true })
    t.after(() => half.destroy())
    half.on('error', () => undefined)
    half.write(
      'GET /half HTTP/1.1\r\nHost: chat.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await once(half, 'data')
    half.end()
    await halfClosed.promise
    const isGone = async () => (await underWay({ router }, 'chat')) === 1
    await until(isGone, { deadlineMs: 8000, what: 'the half to end' })
    live.send('still here')
    const [data] = (await once(live, 'message')) as [Buffer]
    assert.equal(data.toString(), 'still here')
    live.terminate()
    await until(async () => (await underWay({ router }, 'chat')) === 0, {
      deadlineMs: 8000,
      what: 'the other to end',
    })
    const retired = await router.retire(
      { app: 'chat', processes: ['PEEEEEEEEEE'], deadlineMs: 5000 },
      control,
    )
    assert.deepEqual(retired, { cutConnections: 0 })
  })
})

/** One byte after the other, at a pace that is slow and yet progress. */
async function sendSlowly(send: (piece: string) => void, pieces: number): Promise<void> {
  for (let index = 0; index < pieces; index++) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    send('x')
  }
}
