import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { AppRoutes, Backend, Server } from '../../src/router/route-table.ts'
import { createRuntimeApi } from '../../src/router/runtime-api.ts'
import { sharesOf } from '../../src/router/shares.ts'
import { until } from '../../src/lib/poll.ts'
import {
  backend,
  control,
  freePort,
  get,
  local,
  startCopy,
  startEcho,
  startMortalCopy,
  startRouter,
  webApp,
  workerOf,
} from '../support/routers.ts'
import type { Answer, Place } from '../support/routers.ts'

const holds = { holdMs: 20_000 }
const old = 'PAAAAAAAAAA'
const fresh = 'PBBBBBBBBBB'

/** Answers with how much of a body has come. */
const measure: Answer = (request, response) => {
  let bytes = 0
  request.on('data', (chunk: Buffer) => (bytes += chunk.length))
  request.on('end', () => response.end(String(bytes)))
}

/** Of each app: what waits for a copy counts as under way. */
async function untilWaiting({ router }: Place, app: string, count: number): Promise<void> {
  const isWaiting = async () => (await router.status(control)).load?.apps[app]?.underWay === count
  await until(isWaiting, { deadlineMs: 5000, what: `${count} requests to wait` })
}

/** An app whose only copy has made place for another. */
async function startGap(t: TestContext, more: Partial<Backend> = holds): Promise<Place> {
  const place = await startRouter(t)
  await place.router.apply('shop', webApp('shop', [await startCopy(t, old, 'R1')], more), control)
  await leave(place)
  return place
}

async function leave({ router }: Place): Promise<void> {
  await router.retire({ app: 'shop', processes: [old], deadlineMs: 1000, isReplaced: true }, control)
}

async function put({ router }: Place, servers: Server[], more: Partial<Backend> = holds): Promise<void> {
  await router.apply('shop', webApp('shop', servers, more), control)
}

const ask = (place: Place) => get(place.httpPort, 'shop.localhost')

function echoApp(listenPort: number, servers: Server[]): AppRoutes {
  const route = { type: 'echo', port: 7, bind: local, listenPort, backend: { ...backend(servers), ...holds } }
  return { app: 'shop', http: [], tcp: [route] }
}

describe('requests that wait for a copy', { timeout: 180_000 }, () => {
  test(
    'while a copy makes place for another, requests wait, and none fails',
    { timeout: 30_000 },
    async (t) => {
      const place = await startGap(t)
      const worker = await workerOf(place)
      const measurement = await place.router.measure('shop', control)
      const replies = Array.from({ length: 20 }, () => ask(place))
      await untilWaiting(place, 'shop', 20)
      await put(place, [await startCopy(t, fresh, 'R2')])
      assert.deepEqual(new Set((await Promise.all(replies)).map(({ body }) => body)), new Set([fresh]))
      const { requests, failed, held, longestStallMs } = await measurement.end(control)
      assert.deepEqual({ requests, failed, held }, { requests: 20, failed: 0, held: 20 })
      assert.notEqual(longestStallMs, 0)
      assert.equal(await workerOf(place), worker, 'no reload')
      const next = await place.router.measure('shop', control)
      assert.equal((await ask(place)).body, fresh)
      const after = await next.end(control)
      assert.deepEqual({ requests: after.requests, held: after.held }, { requests: 1, held: 0 })
    },
  )

  test('a reload in the middle loses none of them, nor a body', { timeout: 30_000 }, async (t) => {
    const place = await startGap(t)
    const { router, httpPort } = place
    const worker = await workerOf(place)
    const measurement = await router.measure('shop', control)
    const small = ask(place)
    const bytes = 3_000_000
    const socket = connect(httpPort, local).setEncoding('latin1')
    t.after(() => socket.destroy())
    const head = `POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`
    socket.write(head)
    socket.write(Buffer.alloc(bytes, 'x'))
    const large = socket.toArray()
    await untilWaiting(place, 'shop', 2)
    await router.apply('blog', webApp('blog', []), control)
    assert.notEqual(await workerOf(place), worker, 'a reload')
    await untilWaiting(place, 'shop', 2)
    await put(place, [await startCopy(t, fresh, 'R2', measure)])
    assert.equal((await small).body, '0')
    assert.match((await large).join(''), new RegExp(`^HTTP/1\\.1 200 .*\r\n${bytes}$`, 's'))
    const { requests, failed, held } = await measurement.end(control)
    assert.deepEqual({ requests, failed, held }, { requests: 2, failed: 0, held: 2 })
  })

  test('connections of a tcp port wait too, across a reload', { timeout: 30_000 }, async (t) => {
    const place = await startRouter(t)
    const { router } = place
    const port = await freePort()
    const echo = await startEcho(t)
    await router.apply('shop', echoApp(port, [echo]), control)
    await router.retire(
      { app: 'shop', processes: [echo.process], deadlineMs: 1000, isReplaced: true },
      control,
    )
    const measurement = await router.measure('shop', control)
    const sockets = Array.from({ length: 3 }, () => connect(port, local).setEncoding('utf8'))
    t.after(() => sockets.forEach((socket) => socket.destroy()))
    for (const socket of sockets) socket.write('hello')
    const answers = Promise.all(sockets.map((socket) => once(socket, 'data')))
    await untilWaiting(place, 'shop', 3)
    await router.apply('blog', webApp('blog', []), control)
    await untilWaiting(place, 'shop', 3)
    await router.apply('shop', echoApp(port, [{ ...(await startEcho(t)), process: fresh }]), control)
    assert.deepEqual((await answers).flat(), ['hello', 'hello', 'hello'])
    for (const socket of sockets) socket.destroy()
    const { requests, failed, held } = await measurement.end(control)
    assert.deepEqual({ requests, failed, held }, { requests: 3, failed: 0, held: 3 })
  })

  test('none waits longer than it may', { timeout: 30_000 }, async (t) => {
    const place = await startGap(t, { holdMs: 300 })
    const measurement = await place.router.measure('shop', control)
    assert.equal((await ask(place)).status, 503)
    const { failed, held } = await measurement.end(control)
    assert.deepEqual({ failed, held }, { failed: 1, held: 1 })
  })

  test(
    'of an app that was stopped none waits, and whoever waits is let go',
    { timeout: 30_000 },
    async (t) => {
      const place = await startGap(t)
      const waiting = ask(place)
      await untilWaiting(place, 'shop', 1)
      await put(place, [])
      assert.equal((await waiting).status, 503)
      const measurement = await place.router.measure('shop', control)
      assert.equal((await ask(place)).status, 503)
      assert.equal((await measurement.end(control)).held, 0)
    },
  )

  test('a copy that has ended is waited for while it is started again', { timeout: 30_000 }, async (t) => {
    const place = await startRouter(t)
    const { copy, end } = await startMortalCopy(t, { process: old, release: 'R1' })
    await put(place, [copy])
    end()
    const runtime = createRuntimeApi(place.directory, async () => true)
    const isDown = async () => {
      const known = await runtime.servers(await workerOf(place), control)
      return known.some(({ name, isUp }) => name.startsWith(old) && !isUp)
    }
    await until(isDown, { deadlineMs: 5000, what: 'the router to see that the copy has ended' })
    const measurement = await place.router.measure('shop', control)
    const waiting = ask(place)
    await untilWaiting(place, 'shop', 1)
    await startMortalCopy(t, { process: old, release: 'R1', port: copy.port })
    assert.equal((await waiting).body, old)
    const { failed, held } = await measurement.end(control)
    assert.deepEqual({ failed, held }, { failed: 0, held: 1 })
  })

  test('what waits counts in the share of its app', { timeout: 30_000 }, async (t) => {
    const connections = 120
    const place = await startRouter(t, { connections })
    await put(place, [await startCopy(t, old, 'R1')])
    await leave(place)
    const shares = sharesOf(connections)
    const from = Array.from({ length: shares.app + 10 }, (_, index) => `127.0.1.${index + 1}`)
    const replies = from.map((localAddress) => get(place.httpPort, 'shop.localhost', {}, { localAddress }))
    const answered: number[] = []
    const all = replies.map(async (reply) => answered.push((await reply).status))
    await until(() => answered.length >= 9, { deadlineMs: 5000, what: 'what is too much to be refused' })
    assert.deepEqual(new Set(answered), new Set([503]))
    await put(place, [await startCopy(t, fresh, 'R2')])
    await Promise.all(all)
    assert.equal(answered.filter((status) => status === 200).length, shares.app)
  })
})
