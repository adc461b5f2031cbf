import assert from 'node:assert/strict'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createClient } from './client.ts'
import { followStream } from './follow-stream.ts'
import { nodeTransport } from './node-transport.ts'
import { paths } from './paths.ts'

const promote = { params: { app: 'guestbook', release: 'R' } }
const nothing = () => undefined

/** Something on a port that is no rack of ours. */
async function serve(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('an address where nothing answers is unreachable, and says what to type', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const client = createClient({ url, token: 't' })
  const expected = { code: 'unreachable', message: /does not answer: connection refused/, hint: 'rack start' }
  await assert.rejects(client.listApps(), expected)
  await assert.rejects(followStream(client.promoteRelease(promote), nothing), expected)
  const terminal = { tty: false, rows: 1, columns: 1, input: null, output: async () => {}, onResize: nothing }
  const exec = { params: { app: 'guestbook', process: 'P' }, query: { command: ['true'] } }
  await assert.rejects(client.execProcess(exec, terminal), expected)
})

test('an address that accepts and says nothing is given up', async () => {
  const hole = createTcpServer(() => undefined)
  await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(hole.address() as AddressInfo).port}`
  const signal = AbortSignal.timeout(100)
  await assert.rejects(createClient({ url }).listApps({}, { signal }), { name: 'TimeoutError' })
  hole.close()
})

test('an address that cannot be reached in time is unreachable', async () => {
  // Documentation addresses (RFC 5737) lead nowhere; where a network refuses them at once, that is as good.
  const transport = nodeTransport({ connectTimeoutMs: 100 })
  const client = createClient({ url: 'http://192.0.2.1:5480', transport })
  await assert.rejects(client.listApps(), { code: 'unreachable', hint: /rack racks/ })
})

test('a host name that nobody knows is unreachable', async () => {
  const client = createClient({ url: 'http://no-such-rack.invalid' })
  await assert.rejects(client.listApps(), { code: 'unreachable', hint: /rack racks/ })
})

test('an address is read before it is asked', async () => {
  for (const url of ['', 'localhost:5480', 'ftp://127.0.0.1', 'no address']) {
    await assert.rejects(createClient({ url }).listApps(), { code: 'usage' }, url)
  }
})

test('a damaged token is said to be one', async () => {
  const client = createClient({ url: 'http://127.0.0.1:1', token: 'two\nlines' })
  await assert.rejects(client.listApps(), { code: 'unauthorized' })
})

test('another server on the port is told from a rack', async (t) => {
  const answers: [name: string, listener: RequestListener, code: string, message: RegExp][] = [
    [
      '404 of a web server',
      (_q, s) => s.writeHead(404, { 'content-type': 'text/html' }).end('<h1>'),
      'unreachable',
      /answered 404/,
    ],
    ['401 of a proxy', (_q, s) => s.writeHead(401).end(), 'unauthorized', /wants a token/],
    ['a rack that closes', (_q, s) => s.writeHead(503).end('{}'), 'unreachable', /stopping or starting/],
    ['a redirect', (_q, s) => s.writeHead(302, { location: '/' }).end(), 'unreachable', /answered 302/],
    ['a page', (_q, s) => s.end('<html>'), 'unreachable', /not JSON/],
    ['a hang-up', (q) => q.socket.destroy(), 'unreachable', /went away/],
  ]
  for (const [name, listener, code, message] of answers) {
    await t.test(name, async () => {
      await using other = await serve(listener)
      await assert.rejects(createClient({ url: other.url }).listApps(), { code, message })
    })
  }
})

test('a stream that breaks off is told from one that ends', async (t) => {
  const line = '{"type":"log","text":"one","time":"t"}\n'
  const bodies: [name: string, body: string, message: RegExp][] = [
    ['at once', '', /in the middle of its answer/],
    ['after a line', line, /in the middle of its answer/],
    ['in a line', line + line.slice(0, 9), /in the middle of its answer/],
    ['with noise', `${line}<html>\n`, /not NDJSON/],
  ]
  for (const [name, body, message] of bodies) {
    await t.test(name, async () => {
      await using other = await serve((_request, response) => response.end(body))
      const stream = createClient({ url: other.url }).promoteRelease(promote)
      await assert.rejects(followStream(stream, nothing), { code: 'unreachable', message })
    })
  }
})

test('what an earlier rack answers at once, without a content, is the end of a stream', async () => {
  await using earlier = await serve((_request, response) => void response.writeHead(204).end())
  const input = { params: { service: 'main' }, query: { volumes: false } }
  assert.equal(await followStream(createClient({ url: earlier.url }).deleteService(input), nothing), null)
})

test('a stream that falls silent is given up, and heartbeats keep it alive', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { promise: response, resolve } = Promise.withResolvers<ServerResponse>()
  await using other = await serve((_request, response) => {
    response.write('{"type":"log","text":"one","time":"t"}\n')
    resolve(response)
  })
  const stream = createClient({ url: other.url }).promoteRelease(promote)[Symbol.asyncIterator]()
  await stream.next()
  const next = stream.next()
  // A pause of the real clock, since the mocked one drives the deadline alone.
  const breath = () => new Promise((done) => setImmediate(() => setImmediate(done)))
  for (let quarter = 0; quarter < 4; quarter++) {
    t.mock.timers.tick(30_000)
    ;(await response).write('\n')
    for (let at = 0; at < 50; at++) await breath()
  }
  const given = assert.rejects(next, { code: 'unreachable', message: /45000 ms/ })
  t.mock.timers.tick(45_000)
  await given
})

test('heartbeats are not lines, and characters may be cut anywhere', async () => {
  const bytes = Buffer.from(
    '\n{"type":"log","text":"ä€😀","time":"t"}\n\n{"type":"result","result":{"ok":1}}\n',
  )
  await using other = await serve((_request, response) => {
    for (const byte of bytes) response.write(Buffer.of(byte))
    response.end()
  })
  const lines = []
  for await (const line of createClient({ url: other.url }).promoteRelease(promote)) lines.push(line)
  assert.deepEqual(lines, [
    { type: 'log', text: 'ä€😀', time: 't' },
    { type: 'result', result: { ok: 1 } },
  ])
})

test('an upload that is refused and cut off at once still tells the reason', async () => {
  const body = '{"code":"too-large","detail":"too much","requestId":"1"}'
  const head = 'HTTP/1.1 413 Too Large\r\ncontent-type: application/problem+json\r\n'
  const rude = createTcpServer((socket) => {
    // Bytes that it has not read make its close a reset.
    socket.on('error', nothing)
    socket.once('data', () => {
      socket.pause()
      socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`, () => socket.destroy())
    })
  })
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve))
  const client = createClient({ url: `http://127.0.0.1:${(rude.address() as AddressInfo).port}` })
  const content = async function* () {
    for (;;) yield Buffer.alloc(64 * 1024)
  }
  for (let round = 0; round < 10; round++) {
    const stream = client.buildApp({ params: { app: 'guestbook' }, content: content() })
    await assert.rejects(followStream(stream, nothing), { code: 'too-large', message: 'too much' })
  }
  rude.close()
})

test('an error of a newer rack keeps its words', async () => {
  await using other = await serve((_request, response) => {
    response.writeHead(418, { 'content-type': 'application/problem+json' })
    response.end('{"code":"teapot","detail":"short and stout","requestId":"1"}')
  })
  await assert.rejects(createClient({ url: other.url }).listApps(), {
    code: 'internal',
    message: 'short and stout (teapot)',
    requestId: '1',
  })
})

test('a request on a connection that the rack has just closed is asked again', async () => {
  let requests = 0
  await using other = await serve((request, response) => {
    requests++
    // The first answer keeps the connection, the second request on it meets a closed door.
    if (requests === 2) request.socket.destroy()
    else response.end('[]')
  })
  const client = createClient({ url: other.url })
  assert.deepEqual(await client.listApps(), [])
  // A connection goes back to its pool when the answer's end has been told.
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await client.listApps(), [])
  assert.equal(requests, 3)
})

test('names cannot climb out of their place in the path', async () => {
  const asked: string[] = []
  await using other = await serve((request, response) => {
    asked.push(request.url ?? '')
    response.end('null')
  })
  const client = createClient({ url: `${other.url}/behind/a/proxy/` })
  for (const app of ['', '.', '..'])
    await assert.rejects(client.getApp({ params: { app } }), { code: 'invalid' })
  await client.getApp({ params: { app: '../a b?c#d/%2e' } })
  assert.deepEqual(asked, ['/behind/a/proxy/v1/apps/..%2Fa%20b%3Fc%23d%2F%252e'])
})

test('no path is given to two operations', () => {
  const all = Object.values(paths).map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`)
  assert.deepEqual(
    all.filter((path, at) => all.indexOf(path) !== at),
    [],
  )
})

test('a backup of a rack may be silent for as long as its images are written down, another archive not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const begin = (name: 'backupRack' | 'dumpService') => {
    const gate = Promise.withResolvers<void>()
    const body = async function* () {
      yield Buffer.from('first')
      await gate.promise
      yield Buffer.from('last')
    }
    const request = async () => ({ status: 200, headers: {}, body: body() })
    const transport = { request, connect: () => Promise.reject(new Error('nothing connects')) }
    const client = createClient({ url: 'http://rack.example.com', transport })
    const [key, head] = ['', '']
    const scope = { volumes: true, services: true, images: true }
    const chunks =
      name === 'backupRack'
        ? client.backupRack({ body: { ...scope, key, head } })
        : client.dumpService({ params: { service: 'main' } })
    return { gate, chunks: chunks[Symbol.asyncIterator]() }
  }
  const [backup, dump] = [begin('backupRack'), begin('dumpService')]
  const firsts = [await backup.chunks.next(), await dump.chunks.next()]
  assert.deepEqual(
    firsts.map(({ value }) => String(value)),
    ['first', 'first'],
  )
  const [patient, hasty] = [backup.chunks.next(), dump.chunks.next()]
  const ended = assert.rejects(hasty, { code: 'unreachable', message: /broke the archive off/ })
  t.mock.timers.tick(10 * 60_000)
  await ended
  backup.gate.resolve()
  assert.equal(String((await patient).value), 'last')
})
