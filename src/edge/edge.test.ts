import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { Caller } from '../domain/caller.ts'
import { until } from '../lib/poll.ts'
import { createDoor } from '../operations/door.ts'
import type { Operations } from '../operations/operations.ts'
import { createEdge } from './edge.ts'
import { limitConnections, type ConnectionLimits } from './connection-limits.ts'
import type { Face } from './face.ts'
import { loginOf } from '../../test/support/scripted-operations.ts'
import { openSocketTerminal, type TerminalCodec } from './socket-terminal.ts'

const shopkeeper: Caller = { name: 'shopkeeper', role: 'admin', apps: ['shop'] }

/** A protocol unlike `/v1`: the token is a password, errors are words, a terminal is text. */
const plainFace: Face = {
  name: 'plain',
  largestMessageBytes: 1024,
  tokenOf: ({ headers }) => {
    const encoded = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1]
    return encoded === undefined ? null : (Buffer.from(encoded, 'base64').toString().split(':')[1] ?? null)
  },
  addRoutes(server, { door }) {
    server.setErrorHandler((error, _request, reply) =>
      reply.code(418).send(`ERROR: ${error instanceof Error ? error.message : ''}`),
    )
    server.get('/hello', { config: { access: 'anyone' } }, () => 'hello')
    server.get('/me', { config: { access: 'callers' } }, ({ caller }) => caller?.name)
    server.post('/lock/:app', { config: { access: 'setLocked' } }, async ({ caller, params }) => {
      const { app } = params as { app: string }
      return await door.as(caller!).setLocked(app, true)
    })
    server.get('/echo', { config: { access: 'anyone' }, websocket: true }, async (socket) => {
      const { terminal, send, finish } = openSocketTerminal(socket, lineCodec, {
        tty: false,
        rows: 1,
        columns: 1,
      })
      await send(Buffer.from('ready'))
      for await (const chunk of terminal.input ?? []) await terminal.output('stdout', chunk)
      await finish(Buffer.from('bye'))
    })
  },
}

/** Text is input, a binary message its end. */
const lineCodec: TerminalCodec = {
  decode: (message, isBinary) => (isBinary ? { type: 'end-of-input' } : { type: 'input', content: message }),
  *encodeOutput(stream, chunk) {
    yield Buffer.concat([Buffer.from(`${stream}: `), chunk])
  },
}

async function serve(...faces: Face[]) {
  return await serveWithin({}, ...faces)
}

async function serveWithin(bounds: { limits?: Partial<ConnectionLimits> }, ...faces: Face[]) {
  const lines: Record<string, unknown>[] = []
  const locked: string[] = []
  const door = createDoor({
    authenticate: async (token) => (token === 'open' ? loginOf(shopkeeper) : null),
    verbsFor: () => ({ setLocked: async (app: string) => void locked.push(app) }) as unknown as Operations,
    audit: { tell: (_note, call) => call(), refused: async () => undefined },
  })
  const info = (fields: object) => void lines.push(fields as Record<string, unknown>)
  const limits = { ...limitConnections(4096), ...bounds.limits }
  const edge = await createEdge({ door, faces, log: { info, error: () => undefined }, limits })
  const url = await edge.listen({ host: '127.0.0.1', port: 0 })
  return { edge, url, locked, lines, [Symbol.asyncDispose]: () => edge.close() }
}

async function ask(url: string, method = 'GET', headers: Record<string, string> = {}) {
  const outgoing = httpRequest(url, { method, headers, agent: false }).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return `${response.statusCode} ${await text(response)}`
}

const known = { authorization: `Basic ${Buffer.from('any:open').toString('base64')}` }

test("a face reads its own tokens and says its own errors; who may call is the rack's to say", async () => {
  await using edge = await serve(plainFace)
  assert.equal(await ask(`${edge.url}/hello`), '200 hello')
  assert.equal(await ask(`${edge.url}/me`), '418 ERROR: this rack wants a token')
  assert.equal(
    await ask(`${edge.url}/me`, 'GET', { authorization: 'Bearer open' }),
    '418 ERROR: this rack wants a token',
  )
  assert.equal(await ask(`${edge.url}/me`, 'GET', known), '200 shopkeeper')
  assert.match(
    await ask(`${edge.url}/lock/other`, 'POST', known),
    /^418 ERROR: .*"other" is not one of its apps/,
  )
  assert.match(await ask(`${edge.url}/lock/shop`, 'POST', known), /^200 /)
  assert.deepEqual(edge.locked, ['shop'])
})

test('the rule of hosts and origins holds for every face, and unknown paths are problems', async () => {
  await using edge = await serve(plainFace)
  assert.match(await ask(`${edge.url}/hello`, 'GET', { host: 'evil.example' }), /^418 ERROR: .*evil\.example/)
  assert.match(await ask(`${edge.url}/hello`, 'GET', { origin: 'http://evil.example' }), /evil\.example/)
  assert.match(await ask(`${edge.url}/v1/apps`, 'GET', known), /^404 .*"code":"not-found"/)
})

test('two faces share the listener, and what one sets does not reach the other', async () => {
  const other: Face = {
    name: 'other',
    largestMessageBytes: 1,
    tokenOf: () => 'open',
    addRoutes(server) {
      server.get('/other/me', { config: { access: 'callers' } }, ({ caller }) => caller?.name)
      server.post('/other/lock/:app', { config: { access: 'setLocked' } }, () => 'not reached')
    },
  }
  await using edge = await serve(plainFace, other)
  assert.equal(await ask(`${edge.url}/other/me`), '200 shopkeeper')
  assert.match(await ask(`${edge.url}/other/lock/else`, 'POST'), /^403 .*"code":"forbidden"/)
  assert.equal(await ask(`${edge.url}/me`), '418 ERROR: this rack wants a token')
})

test('a route that does not say who may call it stops the rack from starting', async () => {
  const careless: Face = {
    ...plainFace,
    name: 'careless',
    addRoutes: (server) => void server.get('/all', () => 1),
  }
  await assert.rejects(serve(careless), /careless: \/all does not say who may call it/)
})

test('a terminal is written in the messages of its face', async () => {
  await using edge = await serve(plainFace)
  const socket = new WebSocket(`${edge.url.replace('http', 'ws')}/echo`)
  const said: string[] = []
  socket.on('message', (data: Buffer) => {
    said.push(data.toString())
    if (said.length === 1) socket.send('one')
    if (said.length === 2) socket.send(Buffer.alloc(0))
  })
  const [code] = (await once(socket, 'close')) as [number]
  assert.deepEqual([code, ...said], [1000, 'ready', 'stdout: one', 'bye'])
})

/** Connections that say half of what they want. */
async function openHalf(place: NetConnectOpts, count: number) {
  const sockets = Array.from({ length: count }, () => connect(place).on('error', () => undefined))
  await Promise.all(
    sockets.map(async (socket) => {
      await once(socket, 'connect')
      socket.write('GET /hello HTTP/1.1\r\nhost: localhost\r\n')
    }),
  )
  return {
    sockets,
    /** Settles when so many were closed by the other side. */
    async closed(most: number) {
      const isClosed = (socket: Socket) => socket.destroyed || socket.readableEnded
      for (const socket of sockets) socket.resume()
      const what = `${most} connections to be closed`
      await until(() => sockets.filter(isClosed).length >= most, { deadlineMs: 30_000, what })
      return sockets.filter((socket) => !isClosed(socket)).length
    },
    [Symbol.dispose]: () => sockets.forEach((socket) => socket.destroy()),
  }
}

test('strangers by TCP have a share of the connections, one source a part of it, and the socket keeps its own', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'edge-'))
  const path = join(folder.path, 'api.sock')
  await using served = await serveWithin({ limits: { socket: 4, tcp: 5, tcpOfOneSource: 3 } }, plainFace)
  assert.equal(await served.edge.listen({ path }), path)
  const port = Number(new URL(served.url).port)
  using byTcp = await openHalf({ host: '127.0.0.1', port, localAddress: '127.0.0.2' }, 20)
  assert.equal(await byTcp.closed(17), 3)
  using bySocket = await openHalf({ path }, 3)
  const asked = httpRequest('http://localhost/hello', { socketPath: path, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  assert.equal(await text(response), 'hello')
  assert.equal(bySocket.sockets.filter(({ destroyed }) => destroyed).length, 0)
  byTcp[Symbol.dispose]()
  const isServed = () =>
    ask(`${served.url}/hello`).then(
      (said) => said === '200 hello',
      () => false,
    )
  await until(isServed, { deadlineMs: 10_000, what: 'room for the next' })
})

test('who does not say what they want is let go', async () => {
  await using served = await serveWithin({ limits: { headMs: 200 } }, plainFace)
  const port = Number(new URL(served.url).port)
  using half = await openHalf({ host: '127.0.0.1', port }, 2)
  using silent = await openHalf({ host: '127.0.0.1', port }, 0)
  silent.sockets.push(connect({ host: '127.0.0.1', port }))
  assert.deepEqual([await half.closed(2), await silent.closed(1)], [0, 0])
})

test('strangers get so many lines of the log, and the rest is counted; those who are known get all', async () => {
  await using served = await serve(plainFace)
  const times = async (count: number, headers: Record<string, string>) => {
    for (let at = 0; at < count; at++) await ask(`${served.url}/me`, 'GET', headers)
  }
  await times(100, {})
  await times(40, known)
  const actors = served.lines.map(({ actor }) => actor)
  assert.deepEqual(
    [actors.filter((actor) => actor === '').length, actors.filter((actor) => actor === 'shopkeeper').length],
    [30, 40],
  )
})
