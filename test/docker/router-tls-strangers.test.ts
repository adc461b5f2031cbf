import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { describe, test, type TestContext } from 'node:test'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import { until } from '../../src/lib/poll.ts'
import type { RouterOptions } from '../../src/router/router.ts'
import { sharesOf } from '../../src/router/shares.ts'
import {
  backend,
  control,
  freePort,
  local,
  startCopy,
  startEcho,
  startRouter,
  webApp,
} from '../support/routers.ts'

const connections = 240
const shares = sharesOf(connections)
const span = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 90 * 86_400_000) }
const authority = await createAuthority({ name: 'Rack test', ...span })
const host = 'shop.localhost'

/** A router with one app that is served by TLS. */
async function startShop(t: TestContext, options: Partial<RouterOptions> = {}) {
  const port = await freePort()
  const issue = async (name: string) => {
    const issued = await issueCertificate({ authority, names: [name], ...span, usages: ['server'] })
    return { chain: issued.certificate, key: issued.key }
  }
  const certificates = { kept: () => [], authorityId: async () => 'aa', issue }
  const { router } = await startRouter(t, {
    connections,
    https: { port, certificates, challenges: { open: () => [] } },
    ...options,
  })
  await router.apply('shop', webApp('shop', [await startCopy(t, 'PAAAAAAAAAA', 'R1')]), control)
  return { router, port }
}

/** Connections that do as they are told and nothing else, and how many of them were closed. */
function openMany(t: TestContext, count: number, open: (at: number) => Socket) {
  const seen = { closed: 0 }
  for (let at = 0; at < count; at++) {
    const socket = open(at)
    t.after(() => socket.destroy())
    socket.on('error', () => undefined).on('close', () => (seen.closed += 1))
    socket.resume()
  }
  return seen
}

/** A visitor who does all as it should be; of an address of their own. */
async function visit(port: number, localAddress: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options: RequestOptions = { host: local, port, servername: host, ca: authority.certificate }
  request({ ...options, localAddress, agent: false, headers: { host } }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  await response.toArray()
  return response.statusCode ?? 0
}

async function visitors(port: number): Promise<void> {
  for (let at = 1; at <= 20; at++) assert.equal(await visit(port, `127.0.3.${at}`), 200)
}

/** The first bytes of a TLS record that says more will come. */
const begunHello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])

/** Settles when a handshake that is never gone on with has been closed. */
async function standStill(t: TestContext, port: number): Promise<void> {
  const socket = connect(port, local).on('error', () => undefined)
  t.after(() => socket.destroy())
  socket.write(begunHello)
  socket.resume()
  await once(socket, 'close')
}

const patience = { clientMs: 800, queueMs: 800, endedClientMs: 800, endedCopyMs: 800 }

describe('strangers at the port of TLS', { timeout: 120_000 }, () => {
  test('who never gets through TLS has the share of their address, and others are served', async (t) => {
    const { port } = await startShop(t)
    const seen = openMany(t, connections + 20, (at) => {
      const socket = connect({ port, host: local, localAddress: '127.0.0.5' })
      if (at % 2 === 0) socket.write(begunHello)
      return socket
    })
    const isRefused = () => seen.closed === connections + 20 - shares.source
    await until(isRefused, { deadlineMs: 60_000, what: 'the rest to be closed' })
    await visitors(port)
  })

  test('however many addresses do so, what is kept for the small ones is not theirs', async (t) => {
    const { port } = await startShop(t)
    const count = 12
    const each = 30
    const seen = openMany(t, count * each, (at) =>
      connect({ port, host: local, localAddress: `127.0.1.${(at % count) + 1}` }),
    )
    // Those that came while there was room, and a few of each.
    const isRefused = () => count * each - seen.closed <= shares.crowded + count * (shares.smallSource + 1)
    await until(isRefused, { deadlineMs: 60_000, what: 'the rest to be closed' })
    await visitors(port)
  })

  test('a handshake that stands still ends, and so do headers that trickle', async (t) => {
    const { port } = await startShop(t, { patience })
    const still = standStill(t, port)
    const trickling = connectByTls({ port, host: local, servername: host, ca: authority.certificate })
    t.after(() => trickling.destroy())
    trickling.on('error', () => undefined)
    await once(trickling, 'secureConnect')
    trickling.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\n')
    const timer = setInterval(() => trickling.write('X-More: x\r\n'), 200)
    t.after(() => clearInterval(timer))
    const said = (async () => {
      let text = ''
      for await (const piece of trickling) text += String(piece)
      return text
    })()
    await still
    assert.match(await said, /^HTTP\/1\.1 408 /)
    await visitors(port)
  })
  test('so does one at a tls port, alone or shared, where who is through may be silent', async (t) => {
    const { router } = await startShop(t, { patience })
    for (const isShared of [false, true]) {
      const listenPort = await freePort()
      const app = isShared ? 'shared' : 'alone'
      const name = `cache.${app}.localhost`
      const tls = { hosts: [name], ...(isShared && { isShared: true as const }) }
      const servers = [await startEcho(t)]
      const route = { type: 'cache', port: 6379, bind: local, listenPort, tls, backend: backend(servers) }
      await router.apply(app, { app, http: [], tcp: [route] }, control)
      const silent = connectByTls({
        port: listenPort,
        host: local,
        servername: name,
        ca: authority.certificate,
      })
      t.after(() => silent.destroy())
      silent.write('first')
      assert.equal(String((await once(silent, 'data'))[0]), 'first')
      await standStill(t, listenPort)
      silent.write('again')
      assert.equal(String((await once(silent, 'data'))[0]), 'again')
    }
  })
})
