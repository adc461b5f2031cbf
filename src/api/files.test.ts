import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { createClient } from '../client/client.ts'
import { followStream } from '../client/follow-stream.ts'
import { RackError } from '../domain/error.ts'
import type { Operations } from '../operations/operations.ts'
import { until } from '../lib/poll.ts'
import { serveOperations, tokens } from '../../test/support/scripted-operations.ts'

const input = { params: { app: 'guestbook', process: 'PAAAAAAAAAA' }, query: { path: '/srv' } }

function giving(give: (out: (chunk: Uint8Array) => Promise<void>) => Promise<void>): Partial<Operations> {
  return {
    async copyFiles(app, { process: processId, path, archive }) {
      assert.deepEqual([app, processId, path], ['guestbook', 'PAAAAAAAAAA', '/srv'])
      assert.ok('out' in archive)
      await give(archive.out)
    },
  }
}

const hasCode = (code: string) => (error: unknown) => error instanceof RackError && error.code === code

test('an archive comes out byte for byte', async () => {
  const pieces = Array.from({ length: 30 }, () => randomBytes(100_000))
  await using rack = await serveOperations(
    giving(async (out) => {
      for (const piece of pieces) await out(piece)
    }),
  )
  const got = Buffer.concat(await Array.fromAsync(rack.client.readFiles(input)))
  assert.ok(got.equals(Buffer.concat(pieces)))
})

test('what fails before the first byte is a problem of its kind', async () => {
  await using rack = await serveOperations(
    giving(async () => {
      throw new RackError('not-found', 'no /srv in the process')
    }),
  )
  await assert.rejects(Array.fromAsync(rack.client.readFiles(input)), hasCode('not-found'))
})

test('what fails in the middle is never taken for an archive', async () => {
  await using rack = await serveOperations(
    giving(async (out) => {
      await out(randomBytes(100_000))
      throw new RackError('engine-failed', 'the engine is gone')
    }),
  )
  await assert.rejects(Array.fromAsync(rack.client.readFiles(input)), /broke the archive off/)
  // For another client too: the end of a chunked body is missing.
  const socket = connect(Number(new URL(rack.url).port), '127.0.0.1')
  const { app, process: processId } = input.params
  const head = `Host: localhost\r\nAuthorization: Bearer ${tokens.write}\r\n\r\n`
  socket.write(`GET /v1/apps/${app}/processes/${processId}/files?path=/srv HTTP/1.1\r\n${head}`)
  let said = ''
  socket.setEncoding('latin1').on('data', (text: string) => (said += text))
  socket.on('error', (error) => (said += error.message))
  await once(socket, 'close')
  assert.match(said, /^HTTP\/1\.1 200 OK/)
  assert.ok(!said.endsWith('\r\n0\r\n\r\n'))
})

test('an archive that nobody reads is not read either, and ends with its reader', async () => {
  let given = 0
  const ended = Promise.withResolvers<unknown>()
  await using rack = await serveOperations(
    giving(async (out) => {
      try {
        for (;;) {
          await out(Buffer.alloc(256 * 1024))
          given++
        }
      } catch (error) {
        ended.resolve(error)
        throw error
      }
    }),
  )
  const reader = rack.client.readFiles(input)[Symbol.asyncIterator]()
  await reader.next()
  let before = -1
  const standsStill = () => {
    const isStill = given === before
    before = given
    return isStill
  }
  await until(standsStill, { deadlineMs: 10_000, intervalMs: 200, what: 'the archive to stand still' })
  assert.ok(given < 100, `${given} pieces went to a client that reads nothing`)
  await reader.return?.()
  assert.ok((await ended.promise) instanceof Error)
})

test('an archive goes in, and what is wrong with it comes back', async () => {
  const content = randomBytes(3_000_000)
  const got: Uint8Array[] = []
  await using rack = await serveOperations({
    async copyFiles(_app, { path, archive }) {
      if (path === '/full') throw new RackError('disk-full', 'no space left on device')
      assert.ok('in' in archive)
      for await (const chunk of archive.in) got.push(chunk)
    },
  })
  async function* pieces() {
    yield content
  }
  const nothing = () => undefined
  assert.equal(await followStream(rack.client.writeFiles({ ...input, content: pieces() }), nothing), null)
  assert.ok(Buffer.concat(got).equals(content))
  const full = rack.client.writeFiles({ ...input, query: { path: '/full' }, content: pieces() })
  await assert.rejects(followStream(full, nothing), hasCode('disk-full'))
})

test('files want a token that may write, and an absolute path', async () => {
  await using rack = await serveOperations(giving(async () => undefined))
  const reader = createClient({ url: rack.url, token: tokens.read })
  await assert.rejects(Array.fromAsync(reader.readFiles(input)), hasCode('forbidden'))
  const relative = rack.client.readFiles({ ...input, query: { path: 'srv' } })
  await assert.rejects(Array.fromAsync(relative), hasCode('invalid'))
})
