import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer, createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, ServerHttp2Stream } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import { until } from '../../src/lib/poll.ts'
import type { Server } from '../../src/router/route-table.ts'
import {
  backend,
  control,
  copyAt,
  freePort,
  get,
  local,
  startRouter,
  webApp,
  workerOf,
} from '../support/routers.ts'

const checked = { check: { kind: 'http' as const, path: '/up' } }

/** As a server of gRPC: a request stays open, each message is answered with the copy's name, and trailers end it. */
function answerCalls(name: string) {
  return (stream: ServerHttp2Stream, headers: { ':path'?: string }) => {
    stream.on('error', () => undefined)
    if (headers[':path'] === '/up') return stream.respond({ ':status': 204 }, { endStream: true })
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.on('data', (message: Buffer) => stream.write(`${name} ${String(message)}\n`))
    stream.on('end', () => stream.end())
  }
}

async function startCalls(t: TestContext, name: string): Promise<Server> {
  const server = createHttp2Server().on('stream', answerCalls(name)).listen(0, local)
  await once(server, 'listening')
  t.after(() => server.close())
  return copyAt(server, name)
}

function openSession(t: TestContext, port: number): ClientHttp2Session {
  const session = connectHttp2(`http://calls.localhost:${port}`, {
    createConnection: () => connect(port, local),
  })
  t.after(() => session.destroy())
  return session
}

/** A call that is open, and what it has been answered. */
function openCall(session: ClientHttp2Session) {
  const stream: ClientHttp2Stream = session.request({
    ':method': 'POST',
    ':path': '/shop.Calls/Talk',
    te: 'trailers',
  })
  let heard = ''
  stream.on('data', (piece: Buffer) => (heard += String(piece)))
  const say = async (word: string) => {
    const before = heard
    stream.write(word)
    await until(() => heard.length > before.length, {
      deadlineMs: 5000,
      intervalMs: 5,
      what: `an answer to ${word}`,
    })
    return heard.slice(before.length).trim()
  }
  return { stream, say }
}

describe('what is spoken to processes', { timeout: 300_000 }, () => {
  test('gRPC goes through by h2c: a call stays with its copy through a deploy, new ones meet the new', async (t) => {
    const place = await startRouter(t)
    const { router, httpPort } = place
    const options = { upstream: 'h2c' as const, ...checked }
    const [old, next] = [await startCalls(t, 'POLD'), await startCalls(t, 'PNEW')]
    await router.apply('calls', webApp('calls', [old], options), control)
    const session = openSession(t, httpPort)
    const call = openCall(session)
    assert.equal(await call.say('one'), 'POLD one')
    const worker = await workerOf(place)
    await router.apply('calls', webApp('calls', [old, next], options), control)
    await router.apply('calls', webApp('calls', [next], options), control)
    const leaving = router.retire({ app: 'calls', processes: ['POLD'], deadlineMs: 60_000 }, control)
    assert.equal(await openCall(session).say('two'), 'PNEW two')
    assert.equal(await call.say('three'), 'POLD three')
    const trailers = once(call.stream, 'trailers')
    call.stream.end()
    const [said] = (await trailers) as [Record<string, string>]
    assert.equal(said['grpc-status'], '0')
    assert.deepEqual(await leaving, { cutConnections: 0 })
    assert.equal(await workerOf(place), worker, 'no reload')
  })

  test('a check by HTTP/2 tells a copy that is well from one that is not', async (t) => {
    const { router, httpPort } = await startRouter(t)
    const options = { upstream: 'h2c' as const, check: { kind: 'http' as const, path: '/no' }, fall: 1 }
    const server = createHttp2Server().on('stream', (stream, headers) => {
      stream.respond({ ':status': headers[':path'] === '/no' ? 500 : 200 }, { endStream: true })
    })
    server.listen(0, local)
    await once(server, 'listening')
    t.after(() => server.close())
    await router.apply('calls', webApp('calls', [copyAt(server, 'PILL')], options), control)
    const isDown = async () => (await router.down(control)).get('calls')?.has('PILL') ?? false
    await until(isDown, { deadlineMs: 60_000, what: 'the check to fail' })
    assert.equal((await get(httpPort, 'calls.localhost')).status, 503)
  })

  test('by TLS a copy takes HTTP/2, and websockets in HTTP/1.1, through a deploy', async (t) => {
    const { router, httpPort } = await startRouter(t)
    const span = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 86_400_000) }
    const authority = await createAuthority({ name: 'process', ...span })
    const pair = await issueCertificate({ authority, names: ['process'], ...span, usages: ['server'] })
    const start = async (name: string) => {
      const server = createSecureServer(
        { key: pair.key, cert: pair.certificate, allowHTTP1: true },
        (request, response) => response.end(`${name} ${request.httpVersion}`),
      )
      const sockets = new WebSocketServer({ noServer: true })
      server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
        sockets.handleUpgrade(request, socket, head, (one) => one.on('message', () => one.send(name))),
      )
      server.listen(0, local)
      await once(server, 'listening')
      t.after(() => server.close())
      return copyAt(server, name)
    }
    const options = { upstream: 'h2' as const, isSecure: true as const, ...checked }
    const [old, next] = [await start('POLD'), await start('PNEW')]
    await router.apply('chat', webApp('chat', [old], options), control)
    assert.equal((await get(httpPort, 'chat.localhost')).body, 'POLD 2.0')
    const open = async () => {
      const socket = new WebSocket(`ws://${local}:${httpPort}/`, { headers: { host: 'chat.localhost' } })
      t.after(() => socket.terminate())
      await once(socket, 'open')
      return async () => {
        socket.send('who')
        return String(((await once(socket, 'message')) as [Buffer])[0])
      }
    }
    const first = await open()
    assert.equal(await first(), 'POLD')
    await router.apply('chat', webApp('chat', [old, next], options), control)
    await router.apply('chat', webApp('chat', [next], options), control)
    const second = await open()
    assert.deepEqual([await second(), await first()], ['PNEW', 'POLD'])
    assert.equal((await get(httpPort, 'chat.localhost')).body, 'PNEW 2.0')
    const { cutConnections } = await router.retire(
      { app: 'chat', processes: ['POLD'], deadlineMs: 100 },
      control,
    )
    assert.equal(cutConnections, 1)
  })

  test('version 2 of the PROXY protocol names the client, in checks nobody', async (t) => {
    const { router } = await startRouter(t)
    const heard: ReturnType<typeof readProxyHeader>[] = []
    const start = async (name: string) => {
      const server = createServer((socket: Socket) => {
        socket.on('error', () => undefined)
        socket.once('data', (chunk) => {
          heard.push(readProxyHeader(chunk))
          socket.end(name)
        })
      }).listen(0, local)
      await once(server, 'listening')
      t.after(() => server.close())
      return copyAt(server, name)
    }
    const listenPort = await freePort()
    const queue = (servers: Server[]) => ({
      app: 'queue',
      http: [],
      tcp: [
        {
          type: 'mqtt',
          port: 1883,
          bind: local,
          listenPort,
          backend: { ...backend(servers), sendsProxy: 'v2' as const },
        },
      ],
    })
    const ask = async () =>
      (
        await connect({ port: listenPort, host: local, localAddress: '127.0.0.9' })
          .setEncoding('utf8')
          .toArray()
      ).join('')
    const [first, second] = [await start('PONE'), await start('PTWO')]
    await router.apply('queue', queue([first]), control)
    assert.equal(await ask(), 'PONE')
    // One that comes at run time is told too.
    await router.apply('queue', queue([second]), control)
    await until(async () => (await ask()) === 'PTWO', { deadlineMs: 5000, what: 'the second copy' })
    const isLocal = (one: (typeof heard)[0]) => one.command === 'LOCAL'
    assert.ok(heard.some(isLocal), 'a check')
    const clients = heard.filter((one) => !isLocal(one))
    assert.ok(clients.length >= 2)
    for (const one of clients)
      assert.deepEqual(one, { command: 'PROXY', source: '127.0.0.9', port: listenPort })
  })
})

/** @see https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt section 2.2 */
function readProxyHeader(chunk: Buffer): { command: string; source: string; port: number } {
  assert.equal(chunk.subarray(0, 12).toString('hex'), '0d0a0d0a000d0a515549540a')
  if (chunk[12] === 0x20) return { command: 'LOCAL', source: '', port: 0 }
  assert.deepEqual([chunk[12], chunk[13]], [0x21, 0x11], 'PROXY, TCP over IPv4')
  return { command: 'PROXY', source: chunk.subarray(16, 20).join('.'), port: chunk.readUInt16BE(26) }
}
