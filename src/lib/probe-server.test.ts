import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { probeServer } from './probe-server.ts'

const { signal } = new AbortController()

/** A process that hands over what it was sent first, and answers 204. */
async function startProcess(t: TestContext, answer = 'HTTP/1.1 204 No Content\r\n\r\n') {
  const { promise: heard, resolve } = Promise.withResolvers<string>()
  const server: Server = createServer((socket: Socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1'))
      socket.end(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return { heard, port: address.port }
}

const target = {
  address: '127.0.0.1',
  path: '/up',
  host: 'shop.localhost',
  proxy: false as const,
  secure: false,
  timeoutMs: 1000,
}

test('a probe asks, and says what was answered', async (t) => {
  const { heard, port } = await startProcess(t)
  const text = `GET /up on ${port} (Host: shop.localhost) answered 204`
  assert.deepEqual(await probeServer({ ...target, port }, signal), { isGood: true, answered: true, text })
  assert.match(await heard, /^GET \/up HTTP\/1\.1\r\nHost: shop\.localhost\r\n/)
})

test('what is answered to a probe is told: the first line, or the title of a page', async (t) => {
  const answers = async (body: string) => {
    const { port } = await startProcess(t, `HTTP/1.1 400 Bad Request\r\n\r\n${body}`)
    const { isGood, text } = await probeServer({ ...target, port }, signal)
    assert.equal(isGood, false)
    return text.slice(text.indexOf('answered'))
  }
  assert.equal(await answers('Invalid host\nmore'), 'answered 400: Invalid host')
  const page = '<!doctype html>\n<html><title>DisallowedHost at /</title>'
  assert.equal(await answers(page), 'answered 400: DisallowedHost at /')
  assert.equal(await answers(''), 'answered 400')
  assert.equal((await answers('x'.repeat(20_000))).length, 'answered 400: '.length + 201)
})

test('a probe of a port that wants the PROXY protocol begins with its line', async (t) => {
  const asked = await startProcess(t)
  const result = await probeServer({ ...target, port: asked.port, proxy: 'v1' as const }, signal)
  assert.equal(result.isGood, true)
  const line = new RegExp(String.raw`^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ ${asked.port}\r\n`)
  assert.match(await asked.heard, line)
  const connected = await startProcess(t)
  assert.equal(
    (await probeServer({ ...target, port: connected.port, proxy: 'v1' as const, path: null }, signal)).isGood,
    true,
  )
  assert.match(await connected.heard, /^PROXY TCP4 /)
})

test("version 2 of it names nobody, since the connection is the router's own", async (t) => {
  const { heard, port } = await startProcess(t)
  assert.equal((await probeServer({ ...target, port, proxy: 'v2' }, signal)).isGood, true)
  const header = String.raw`^\r\n\r\n\0\r\nQUIT\n \0\0\0GET /up `
  assert.match(await heard, new RegExp(header))
})

test('a probe of a port that speaks HTTP/2 asks in that', async (t) => {
  const server = createHttp2Server((request, response) => {
    const { ':path': path, ':authority': host } = request.headers
    response.writeHead(path === '/up' && host === 'shop.localhost' ? 204 : 418).end('the title of it')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const asked = { ...target, port, upstream: 'h2c' as const }
  const text = `GET /up on ${port} (Host: shop.localhost) answered 204`
  assert.deepEqual(await probeServer(asked, signal), { isGood: true, answered: true, text })
  const { isGood, text: other } = await probeServer({ ...asked, path: '/down' }, signal)
  assert.deepEqual(
    [isGood, other],
    [false, `GET /down on ${port} (Host: shop.localhost) answered 418: the title of it`],
  )
  const plain = await startProcess(t)
  const refused = await probeServer({ ...asked, port: plain.port, timeoutMs: 300 }, signal)
  assert.deepEqual([refused.isGood, refused.answered], [false, false])
})

test('a probe of a port that wants TLS speaks it, and one that has none fails', async (t) => {
  const { heard, port } = await startProcess(t, 'this is no TLS')
  const result = await probeServer({ ...target, port, secure: true }, signal)
  assert.deepEqual([result.isGood, result.answered], [false, false])
  // The first byte of a handshake.
  assert.equal((await heard).charCodeAt(0), 0x16)
})

test('a process that says nothing is asked no longer than the timeout', async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  for (const secure of [false, true]) {
    const { isGood, text } = await probeServer({ ...target, port, secure, timeoutMs: 100 }, signal)
    assert.deepEqual([isGood, text], [false, `GET /up: no answer on ${port} within 100 ms`])
  }
})
