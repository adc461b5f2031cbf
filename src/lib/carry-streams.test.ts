import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { carryStreams, openCarrier } from './carry-streams.ts'

/** Two ends of a pipe, and behind the far one a server on a socket. */
async function startCarrier(serve: (socket: Socket) => void, path?: string) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'carry-'))
  const server = createServer({ allowHalfOpen: true }, serve).listen(join(folder.path, 's'))
  await once(server, 'listening')
  const [near, far] = duplexPair()
  const carried = carryStreams(far, () =>
    connect({ path: path ?? join(folder.path, 's'), allowHalfOpen: true }),
  )
  const carrier = await openCarrier(near)
  return {
    carrier,
    carried,
    near,
    far,
    async [Symbol.asyncDispose]() {
      carrier.close()
      await carried
      server.close()
      await folder.remove()
    },
  }
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

test('fifty streams at once are carried whole, each with its own end', async () => {
  await using parts = await startCarrier((socket) => socket.pipe(socket))
  const sent = Array.from({ length: 50 }, () => randomBytes(300_000))
  const got = sent.map(async (bytes) => {
    const stream = parts.carrier.dial()
    stream.end(bytes)
    return await buffer(stream)
  })
  assert.deepEqual((await Promise.all(got)).map(hash), sent.map(hash))
})

test('a stream that nobody reads holds up no other, and not more than its share', async () => {
  let written = 0
  const flood = (socket: Socket) => {
    const chunk = Buffer.alloc(65_536)
    socket.on('error', () => undefined)
    socket.once('data', (asked) => {
      if (asked.toString() !== 'flood') return void socket.end('small')
      const more = () => {
        while (socket.write(chunk)) written += chunk.length
        written += chunk.length
      }
      socket.on('drain', more)
      more()
    })
  }
  await using parts = await startCarrier(flood)
  const silent = parts.carrier.dial()
  silent.write('flood')
  await once(silent, 'readable')
  for (let at = 0; at < 20; at++) {
    const stream = parts.carrier.dial()
    stream.end('ask')
    assert.equal((await buffer(stream)).toString(), 'small')
  }
  assert.ok(written < 16 * 2 ** 20, `${written} bytes were taken`)
  silent.destroy()
})

test('a refused connection says why, and the pipe carries on', async () => {
  await using parts = await startCarrier((socket) => socket.end(), '/nowhere/api.sock')
  for (let at = 0; at < 2; at++) {
    const stream = parts.carrier.dial()
    const [error] = (await once(stream, 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ENOENT')
  }
})

test('when the pipe breaks, both ends know: streams fail, connections close, and none begins', async () => {
  const opened = Promise.withResolvers<Socket>()
  await using parts = await startCarrier((socket) => opened.resolve(socket.resume()))
  const stream = parts.carrier.dial()
  stream.write('x')
  const socket = await opened.promise
  const [lost, closed] = [once(stream, 'error'), once(socket, 'close')]
  socket.on('error', () => undefined)
  socket.on('end', () => socket.end())
  parts.far.destroy()
  parts.near.destroy()
  assert.equal(((await lost)[0] as NodeJS.ErrnoException).code, 'ECONNRESET')
  await closed
  await parts.carried
  assert.throws(() => parts.carrier.dial(), { code: 'ECONNRESET' })
})
