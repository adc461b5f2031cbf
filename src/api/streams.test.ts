import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { Progress } from '../domain/control.ts'
import type { AppLogLine } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { followStream } from '../client/follow-stream.ts'
import { exampleResult, logLine, serveOperations, tokens } from '../../test/support/scripted-operations.ts'
import { standsStill } from '../../test/support/stands-still.ts'

const promote = { params: { app: 'guestbook', release: 'RAAAAAAAAAA' } }

async function open(url: string, method: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${tokens.write}` }
  const outgoing = httpRequest(url, { method, headers, agent: false })
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  // A test that leaves in the middle breaks it off on purpose.
  response.on('error', () => undefined)
  return response
}

function logLineOf(text: string): AppLogLine {
  const time = '2026-11-23T04:00:00.000000001Z'
  return {
    time,
    app: 'guestbook',
    type: 'web',
    process: 'PAAAAAAAAAA',
    release: 'RAAAAAAAAAA',
    stream: 'stdout',
    text,
    cursor: 'c1',
  }
}

test('progress comes in order and as it happens, the result last', async () => {
  const { promise: firstSeen, resolve: seen } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    promoteRelease: async (_app, _release, _options, control) => {
      control.report(logLine('one'))
      await firstSeen
      control.report({
        type: 'phase',
        phase: 'start',
        state: 'ended',
        ms: 3,
        time: '2026-11-23T04:00:00.000Z',
      })
      control.report(logLine('two'))
      return exampleResult
    },
  })
  const said: string[] = []
  const report = (progress: Progress) => {
    seen()
    said.push(progress.type === 'log' ? progress.text : progress.phase)
  }
  const result = await followStream(rack.client.promoteRelease(promote), report)
  assert.deepEqual(said, ['one', 'start', 'two'])
  assert.deepEqual(result, exampleResult)
})

test('what fails before it has said anything fails with its status', async () => {
  await using rack = await serveOperations({
    promoteRelease: async () => {
      throw new RackError('busy', 'a promote is running', { details: { actor: 'ann' } })
    },
  })
  const response = await open(`${rack.url}/v1/apps/guestbook/releases/R/promote`, 'POST')
  assert.equal(response.statusCode, 409)
  assert.equal(response.headers['content-type'], 'application/problem+json')
  await assert.rejects(
    followStream(rack.client.promoteRelease(promote), () => undefined),
    { code: 'busy', details: { actor: 'ann' } },
  )
})

test('what fails later ends its stream with an error line', async () => {
  await using rack = await serveOperations({
    promoteRelease: async (_app, _release, _options, control) => {
      control.report(logLine('one'))
      throw new RackError('deploy-failed', 'web exited (3)', {
        hint: 'rack logs',
        details: [{ exitCode: 3 }],
      })
    },
  })
  const said: Progress[] = []
  await assert.rejects(
    followStream(rack.client.promoteRelease(promote), (progress) => said.push(progress)),
    { code: 'deploy-failed', message: 'web exited (3)', hint: 'rack logs', details: [{ exitCode: 3 }] },
  )
  assert.equal(said.length, 1)
})

test('every line of a stream carries its type', async () => {
  await using rack = await serveOperations({
    promoteRelease: async (_app, _release, _options, control) => {
      control.report(logLine('one\ntwo'))
      throw new TypeError('a bug')
    },
  })
  const response = await open(`${rack.url}/v1/apps/guestbook/releases/R/promote`, 'POST')
  assert.equal(response.headers['content-type'], 'application/x-ndjson')
  assert.equal(typeof response.headers['x-request-id'], 'string')
  const lines = Buffer.concat(await response.toArray())
    .toString()
    .trimEnd()
    .split('\n')
  const types = lines.map((line) => (JSON.parse(line) as { type: string }).type)
  assert.deepEqual(types, ['log', 'error'])
  assert.equal((JSON.parse(lines[1]!) as { error: { code: string } }).error.code, 'internal')
  assert.ok(rack.logged.some(({ level, fields }) => level === 'error' && /a bug/.test(String(fields.err))))
})

test('a stream that has nothing to say shows that the rack is there', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    promoteRelease: async () => {
      begin()
      await ended
      return exampleResult
    },
  })
  const opened = open(`${rack.url}/v1/apps/guestbook/releases/R/promote`, 'POST')
  await begun
  t.mock.timers.tick(15_000)
  const response = await opened
  assert.equal(response.statusCode, 200)
  const [first] = (await once(response, 'data')) as [Buffer]
  assert.equal(first.toString(), '\n')
  t.mock.timers.tick(15_000)
  end()
  const rest = Buffer.concat(await response.toArray()).toString()
  assert.match(rest, /^\n\{"type":"result"/)
})

test('a promote whose client leaves hears of it, and may go on', async () => {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    promoteRelease: async (_app, _release, _options, control) => {
      control.report(logLine('one'))
      control.signal.addEventListener('abort', () => leave())
      await left
      control.report(logLine('nobody reads this'))
      end()
      return exampleResult
    },
  })
  for await (const line of rack.client.promoteRelease(promote)) {
    assert.equal(line.type, 'log')
    break
  }
  await ended
  assert.equal(rack.logged.filter(({ level }) => level === 'error').length, 0)
})

test('a caller who stops waiting gets the reason of the signal', async () => {
  await using rack = await serveOperations({
    promoteRelease: async (_app, _release, _options, control) => {
      control.report(logLine('one'))
      await once(control.signal, 'abort')
      return exampleResult
    },
  })
  const stopping = new AbortController()
  const stream = rack.client.promoteRelease(promote, { signal: stopping.signal })
  await assert.rejects(
    followStream(stream, () => stopping.abort(new RackError('cancelled', 'enough'))),
    { code: 'cancelled', message: 'enough' },
  )
})

test('a reader who is far behind misses log lines, is told so, and gets the phases and the result', async () => {
  const count = 40_000
  await using rack = await serveOperations({
    promoteRelease: async (_app, _release, _options, control) => {
      for (let at = 0; at < count; at++) control.report(logLine(`${at} ${'x'.repeat(1000)}`))
      control.report({ type: 'phase', phase: 'drain', state: 'ended', time: '2026-11-23T04:00:00.000Z' })
      return exampleResult
    },
  })
  const said: Progress[] = []
  const result = await followStream(rack.client.promoteRelease(promote), (progress) => said.push(progress))
  assert.deepEqual(result, exampleResult)
  assert.ok(said.length < count, `${said.length} lines`)
  const missed = said.flatMap((line) =>
    line.type === 'log' ? (/^… (\d+) lines/.exec(line.text)?.[1] ?? []) : [],
  )
  const shown = said.filter((line) => line.type === 'log' && !line.text.startsWith('…')).length
  assert.equal(
    missed.reduce((sum, lines) => sum + Number(lines), shown),
    count,
  )
  assert.ok(said.some((line) => line.type === 'phase'))
})

test('log lines name their process type `process` and its id `id`', async () => {
  await using rack = await serveOperations({
    appLogs: async function* (app, query) {
      assert.equal(app, 'guestbook')
      assert.deepEqual(query.types, ['web', 'worker'])
      assert.equal(query.follow, false)
      assert.equal(query.tail, 5)
      yield logLineOf('hello')
    },
  })
  const lines = []
  const query = { types: ['web', 'worker'], tail: 5 }
  for await (const line of rack.client.appLogs({ params: { app: 'guestbook' }, query })) lines.push(line)
  const { type, process: id, ...rest } = logLineOf('hello')
  assert.deepEqual(lines, [{ type: 'log', process: type, id, ...rest }])
})

test('logs are read only as fast as they are taken', async () => {
  let written = 0
  const text = 'x'.repeat(10_000)
  await using rack = await serveOperations({
    appLogs: async function* () {
      for (; written < 6_000; written++) yield logLineOf(text)
    },
  })
  const response = await open(`${rack.url}/v1/apps/guestbook/logs`, 'GET')
  await standsStill(() => written)
  assert.ok(written < 3_000, `${written} of 6000 lines were made for a client that reads nothing`)
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  assert.equal(written, 6_000)
  assert.ok(bytes > 60_000_000)
})

test('logs of a client that has left are ended', async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    appLogs: async function* (_app, _query, control) {
      try {
        yield logLineOf('one')
        await once(control.signal, 'abort')
      } finally {
        end()
      }
    },
  })
  const query = { follow: true }
  for await (const _line of rack.client.appLogs({ params: { app: 'guestbook' }, query })) break
  await ended
})

test('closing the server ends the streams that run', async () => {
  const rack = await serveOperations({
    appLogs: async function* (_app, _query, control) {
      yield logLineOf('one')
      await once(control.signal, 'abort')
    },
  })
  const stream = rack.client.appLogs({ params: { app: 'guestbook' }, query: { follow: true } })
  await assert.rejects(
    async () => {
      for await (const _line of stream) void rack.close()
    },
    { code: 'unreachable' },
  )
})
