import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { createClient } from '../client/client.ts'
import type { LocalStream } from '../client/run-connection.ts'
import { RackError } from '../domain/error.ts'
import type { Duplex } from '../domain/engine.ts'
import { until } from '../lib/poll.ts'
import { serveOperations, tokens } from '../../test/support/scripted-operations.ts'

const input = { params: { app: 'guestbook' }, query: { host: 'web', port: 6379 } }
const hasCode = (code: string) => (error: unknown) => error instanceof RackError && error.code === code

/** A real connection to a server that `serve` speaks for, as an engine hands it out. */
async function openDuplex(
  serve: (socket: Socket) => Promise<void> | void,
  signal: AbortSignal,
): Promise<Duplex> {
  // Holds no program open: a connection of a test may be left half open.
  const server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket.unref()))
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, signal })
  await once(socket, 'connect')
  server.close()
  socket.on('error', () => socket.destroy())
  return {
    async input(chunk) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.write(chunk, (error) => (error ? reject(error) : resolve()))
      await promise
    },
    end: () => void socket.end(),
    output: socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
    close: () => void socket.destroy(),
  }
}

const serving = (serve: (socket: Socket) => Promise<void> | void) =>
  serveOperations({
    async connectInside(app, { host, port }, { signal }) {
      assert.deepEqual([app, host, port], ['guestbook', 'web', 6379])
      return await openDuplex(serve, signal)
    },
  })

function localStream(pieces: AsyncIterable<Uint8Array>, overrides: Partial<LocalStream> = {}) {
  const got: Buffer[] = []
  const ended = Promise.withResolvers<void>()
  const local: LocalStream = {
    input: pieces,
    output: async (chunk) => void got.push(Buffer.from(chunk)),
    end: () => ended.resolve(),
    ...overrides,
  }
  return { local, bytes: () => Buffer.concat(got), ended: ended.promise }
}

async function* never(): AsyncGenerator<Uint8Array> {
  yield await new Promise<never>(() => undefined)
}

test('bytes pass both ways unchanged, and each direction ends by itself', async () => {
  const sent = randomBytes(2_000_000)
  await using rack = await serving(async (socket) => {
    // Answers only when all has come.
    const all = Buffer.concat(await Array.fromAsync(socket.iterator({ destroyOnReturn: false })))
    socket.end(all)
  })
  async function* pieces() {
    for (let at = 0; at < sent.length; at += 99_999) yield sent.subarray(at, at + 99_999)
  }
  const { local, bytes } = localStream(pieces())
  await rack.client.connectInside(input, local)
  assert.ok(bytes().equals(sent))
})

test('a process that ends its output first still gets the rest of the input', async () => {
  const got = Promise.withResolvers<string>()
  await using rack = await serving(async (socket) => {
    socket.end('bye')
    got.resolve(Buffer.concat(await Array.fromAsync(socket)).toString())
  })
  const may = Promise.withResolvers<void>()
  async function* pieces() {
    await may.promise
    yield Buffer.from('late')
  }
  const { local, bytes, ended } = localStream(pieces())
  const done = rack.client.connectInside(input, local)
  await ended
  assert.equal(bytes().toString(), 'bye')
  may.resolve()
  await done
  assert.equal(await got.promise, 'late')
})

test('a process that breaks the connection, and one that refuses it, are told', async () => {
  await using rack = await serving((socket) => void socket.resetAndDestroy())
  await assert.rejects(rack.client.connectInside(input, localStream(never()).local))
  await using refusing = await serveOperations({
    async connectInside() {
      throw new RackError('unreachable', 'nothing listens at web:6379')
    },
  })
  const refused = refusing.client.connectInside(input, localStream(never()).local)
  await assert.rejects(refused, /nothing listens at web:6379/)
})

test('a client that goes away breaks the connection inside: no end is made up', async () => {
  let isEnded = false
  const closed = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    connectInside: async () => ({
      input: async () => begun.resolve(),
      end: () => void (isEnded = true),
      output: never(),
      close: () => closed.resolve(),
    }),
  })
  async function* pieces() {
    yield Buffer.from('half of it')
    yield* never()
  }
  const leaving = new AbortController()
  const { local } = localStream(pieces())
  const done = rack.client.connectInside(input, local, { signal: leaving.signal })
  await begun.promise
  leaving.abort(new Error('left'))
  await assert.rejects(done, /left/)
  await closed.promise
  assert.equal(isEnded, false)
})

test('a client that does not read holds the process back', async () => {
  let written = 0
  await using rack = await serving(async (socket) => {
    socket.on('error', () => socket.destroy())
    while (!socket.destroyed) {
      written++
      if (socket.write(Buffer.alloc(256 * 1024))) continue
      const { promise, resolve } = Promise.withResolvers<void>()
      socket.once('drain', resolve).once('close', resolve)
      await promise
    }
  })
  const leaving = new AbortController()
  const { local } = localStream(never(), { output: () => new Promise<never>(() => undefined) })
  const done = assert.rejects(rack.client.connectInside(input, local, { signal: leaving.signal }))
  let before = -1
  const standsStill = () => {
    const isStill = written > 0 && written === before
    before = written
    return isStill
  }
  await until(standsStill, { deadlineMs: 10_000, intervalMs: 300, what: 'the process to stand still' })
  assert.ok(written < 100, `${written} pieces were taken for a client that reads nothing`)
  leaving.abort(new Error('left'))
  await done
})

test('a connection wants a token that may write, and a port', async () => {
  await using rack = await serving((socket) => void socket.end())
  const reader = createClient({ url: rack.url, token: tokens.read })
  await assert.rejects(reader.connectInside(input, localStream(never()).local), hasCode('forbidden'))
  const wrong = rack.client.connectInside(
    { ...input, query: { host: 'web', port: 70_000 } },
    localStream(never()).local,
  )
  await assert.rejects(wrong, hasCode('invalid'))
})
