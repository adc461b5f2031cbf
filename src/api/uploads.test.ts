import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { followStream } from '../client/follow-stream.ts'
import { createClient } from '../client/client.ts'
import { RackError } from '../domain/error.ts'
import { until } from '../lib/poll.ts'
import { logLine, serveOperations, tokens } from '../../test/support/scripted-operations.ts'
import { standsStill } from '../../test/support/stands-still.ts'

const result = { build: 'BAAAAAAAAAA', release: 'RAAAAAAAAAA' }
const params = { app: 'guestbook' }
const nothing = () => undefined

/** Endless bytes, counted. */
function endless(chunkBytes = 64 * 1024) {
  const source = {
    sent: 0,
    isEnded: false,
    async *content() {
      try {
        for (;;) {
          source.sent += chunkBytes
          yield Buffer.alloc(chunkBytes)
        }
      } finally {
        source.isEnded = true
      }
    },
  }
  return source
}

test('an upload arrives byte for byte, and its options with it', async () => {
  const pieces = Array.from({ length: 64 }, () => randomBytes(100_000))
  await using rack = await serveOperations(({ name: caller }) => ({
    buildApp: async (app, { content, description, noCache }) => {
      assert.deepEqual([app, description, noCache, caller], ['guestbook', 'as told', true, 'writer'])
      const hash = createHash('sha256')
      for await (const chunk of content) hash.update(chunk)
      assert.equal(hash.digest('hex'), createHash('sha256').update(Buffer.concat(pieces)).digest('hex'))
      return result
    },
  }))
  const content = (async function* () {
    yield* pieces
  })()
  const stream = rack.client.buildApp({ params, query: { description: 'as told', noCache: true }, content })
  assert.deepEqual(await followStream(stream, nothing), result)
})

test('an upload is sent only as fast as it is read', async () => {
  const source = endless()
  const { promise: mayRead, resolve: read } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    buildApp: async (_app, { content }, control) => {
      control.report(logLine('waiting'))
      await mayRead
      let bytes = 0
      for await (const chunk of content) {
        bytes += chunk.length
        if (bytes > 50_000_000) break
      }
      return result
    },
  })
  const stream = rack.client.buildApp({ params, content: source.content() })
  const done = followStream(stream, nothing)
  await standsStill(() => source.sent)
  assert.ok(source.sent < 20_000_000, `${source.sent} bytes were sent to a rack that reads nothing`)
  read()
  assert.deepEqual(await done, result)
})

test('an upload that is refused at once is told the reason, and stops', async () => {
  await using rack = await serveOperations({
    buildApp: async () => {
      throw new RackError('not-found', 'there is no app "guestbook"', { hint: 'rack apps create guestbook' })
    },
  })
  const source = endless()
  const stream = rack.client.buildApp({ params, content: source.content() })
  await assert.rejects(followStream(stream, nothing), {
    code: 'not-found',
    hint: 'rack apps create guestbook',
  })
  await until(() => source.isEnded, { deadlineMs: 5_000, what: 'the end of the source' })
})

for (const hasSpoken of [false, true]) {
  test(`an upload that is refused in the middle is told the reason, ${hasSpoken ? 'on the open stream' : 'with its status'}`, async () => {
    await using rack = await serveOperations({
      buildApp: async (_app, { content }, control) => {
        if (hasSpoken) control.report(logLine('reading'))
        let bytes = 0
        for await (const chunk of content) {
          bytes += chunk.length
          if (bytes > 3_000_000) throw new RackError('too-large', 'the source is larger than 3 MB')
        }
        return result
      },
    })
    // Many times: a lost race between the answer and the reset would show now and then only.
    for (let round = 0; round < 15; round++) {
      const source = endless()
      const stream = rack.client.buildApp({ params, content: source.content() })
      await assert.rejects(followStream(stream, nothing), { code: 'too-large' })
    }
  })
}

test('a wrong token refuses an upload with the reason', async () => {
  await using rack = await serveOperations({})
  const stranger = createClient({ url: rack.url, token: 'wrong' })
  const stream = stranger.buildApp({ params, content: endless().content() })
  await assert.rejects(followStream(stream, nothing), {
    code: 'unauthorized',
    hint: `rack login ${rack.url}`,
  })
})

test('a client that sends all before it reads still gets its answer', async () => {
  await using rack = await serveOperations({
    buildApp: async () => {
      throw new RackError('disk-full', 'no space is left')
    },
  })
  const { port, host } = new URL(rack.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.pause()
  const bytes = 16_000_000
  socket.write(
    `POST /v1/apps/guestbook/builds HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${tokens.write}\r\n` +
      `connection: close\r\ncontent-type: application/x-tar\r\ncontent-length: ${bytes}\r\n\r\n`,
  )
  for (let sent = 0; sent < bytes; sent += 250_000) {
    if (!socket.write(Buffer.alloc(250_000))) await once(socket, 'drain')
  }
  let answer = ''
  for await (const chunk of socket) {
    answer += String(chunk)
    if (answer.includes('no space is left')) break
  }
  assert.match(answer, /^HTTP\/1.1 507 /)
})

test('a build whose client leaves in mid-upload fails, and says why', async () => {
  const { promise: failure, resolve: fail } = Promise.withResolvers<unknown>()
  const leaving = new AbortController()
  await using rack = await serveOperations({
    buildApp: async (_app, { content }) => {
      try {
        for await (const _chunk of content) leaving.abort(new Error('bored'))
        return result
      } catch (error) {
        fail(error)
        throw error
      }
    },
  })
  const content = (async function* () {
    yield Buffer.alloc(1000)
    await new Promise(() => undefined)
  })()
  const stream = rack.client.buildApp({ params, content }, { signal: leaving.signal })
  await assert.rejects(followStream(stream, nothing), { message: 'bored' })
  assert.equal(((await failure) as RackError).code, 'cancelled')
})

test('a source that cannot be read fails the call with its own error', async () => {
  await using rack = await serveOperations({
    buildApp: async (_app, { content }) => {
      for await (const _chunk of content);
      return result
    },
  })
  const content = (async function* () {
    yield Buffer.alloc(1000)
    throw new RackError('host-failed', 'web.js changed while it was read')
  })()
  const stream = rack.client.buildApp({ params, content })
  await assert.rejects(followStream(stream, nothing), { code: 'host-failed' })
})
