import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createClient } from '../client/client.ts'
import { RackError } from '../domain/error.ts'
import { createEdge } from '../edge/edge.ts'
import { createApiFace } from './api-face.ts'
import { exampleApp, serveOperations, tokens } from '../../test/support/scripted-operations.ts'

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: Record<string, unknown>
}

/** Asks as a stranger's program would: nothing of the client. */
async function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const headers = { authorization: `Bearer ${tokens.write}`, ...options.headers }
  const outgoing = httpRequest(url, { method: options.method ?? 'GET', headers, agent: false })
  outgoing.on('error', reject)
  outgoing.on('response', (response) => {
    text(response).then(
      (body) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: body === '' ? {} : (JSON.parse(body) as Answer['body']),
        }),
      reject,
    )
  })
  outgoing.end(options.body)
  return await promise
}

test('a reply has the shape of the contract and nothing more', async () => {
  await using rack = await serveOperations({
    listApps: async () => [{ ...exampleApp, secret: 'of the store' } as typeof exampleApp],
  })
  assert.deepEqual(await rack.client.listApps(), [exampleApp])
})

test('a verb that says nothing is answered with no content', async () => {
  const stopped: string[] = []
  await using rack = await serveOperations({
    deleteBuild: async (app, build) => void stopped.push(app, build),
  })
  assert.equal(await rack.client.deleteBuild({ params: { app: 'guestbook', build: 'BAAAAAAAAAA' } }), null)
  assert.deepEqual(stopped, ['guestbook', 'BAAAAAAAAAA'])
})

test('the health of the daemon needs no token', async () => {
  await using rack = await serveOperations({})
  const { status, body } = await ask(`${rack.url}/v1/health`, { headers: { authorization: '' } })
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ready' })
})

test('every other route wants a token that the rack knows', async (t) => {
  await using rack = await serveOperations({ listApps: async () => [] })
  for (const authorization of [
    '',
    'Bearer',
    'Bearer wrong',
    'Basic d3JvbmcK',
    `Bearer ${tokens.write} more`,
  ]) {
    await t.test(JSON.stringify(authorization), async () => {
      const { status, headers, body } = await ask(`${rack.url}/v1/apps`, { headers: { authorization } })
      assert.equal(status, 401)
      assert.equal(headers['content-type'], 'application/problem+json')
      assert.equal(body.code, 'unauthorized')
      assert.equal(body.hint, 'rack login URL')
      assert.equal(body.requestId, headers['x-request-id'])
    })
  }
})

test('a token that may only read changes nothing', async () => {
  let isCreated = false
  await using rack = await serveOperations({
    listApps: async () => [],
    createApp: async () => {
      isCreated = true
      return exampleApp
    },
  })
  const reader = createClient({ url: rack.url, token: tokens.read })
  assert.deepEqual(await reader.listApps(), [])
  await assert.rejects(reader.createApp({ body: { name: 'guestbook' } }), { code: 'forbidden' })
  await assert.rejects(reader.getEnvironment({ params: { app: 'guestbook' } }), { code: 'forbidden' })
  assert.equal(isCreated, false)
})

test('names that a foreign page could point at the rack are refused', async (t) => {
  await using rack = await serveOperations({ listApps: async () => [] })
  const { port, host } = new URL(rack.url)
  const cases: [headers: Record<string, string>, status: number][] = [
    [{ host: 'evil.example' }, 403],
    [{ host: `evil.example:${port}` }, 403],
    [{ host: `localhost:${port}` }, 200],
    [{ host: `[::1]:${port}` }, 200],
    [{ host, origin: 'http://evil.example' }, 403],
    [{ host, origin: 'null' }, 403],
    [{ host, origin: `http://${host}` }, 200],
  ]
  for (const [headers, status] of cases) {
    await t.test(JSON.stringify(headers), async () => {
      assert.equal((await ask(`${rack.url}/v1/apps`, { headers })).status, status)
    })
  }
})

test('an error of ours arrives whole, with the status of its code', async () => {
  await using rack = await serveOperations({
    createApp: async () => {
      throw new RackError('exists', 'there is an app "guestbook"', {
        hint: 'rack apps',
        details: { since: 1 },
      })
    },
  })
  const { status, body } = await ask(`${rack.url}/v1/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"guestbook"}',
  })
  assert.equal(status, 409)
  const { requestId, ...rest } = body
  assert.equal(typeof requestId, 'string')
  assert.deepEqual(rest, {
    type: 'urn:rack:error:exists',
    title: 'The name is taken.',
    status: 409,
    detail: 'there is an app "guestbook"',
    code: 'exists',
    hint: 'rack apps',
    details: { since: 1 },
  })
  await assert.rejects(rack.client.createApp({ body: { name: 'guestbook' } }), {
    name: 'RackError',
    code: 'exists',
    message: 'there is an app "guestbook"',
    hint: 'rack apps',
    details: { since: 1 },
  })
})

test('a bug keeps its words to the log, under the request id', async () => {
  await using rack = await serveOperations({
    listApps: async () => {
      throw new TypeError('secret words')
    },
  })
  const { status, body } = await ask(`${rack.url}/v1/apps`)
  assert.equal(status, 500)
  assert.equal(body.code, 'internal')
  assert.ok(!JSON.stringify(body).includes('secret words'))
  const errors = rack.logged.filter(({ level }) => level === 'error')
  assert.equal(errors.length, 1)
  assert.equal(errors[0]?.fields.requestId, body.requestId)
  assert.match(String(errors[0]?.fields.err), /secret words/)
})

test('a reply that breaks the contract is a bug of ours, not half an answer', async () => {
  await using rack = await serveOperations({
    listApps: async () => [{ name: 'guestbook' } as typeof exampleApp],
  })
  assert.equal((await ask(`${rack.url}/v1/apps`)).status, 500)
})

test('everything that is wrong with a request is said at once', async () => {
  await using rack = await serveOperations({})
  const { status, body } = await ask(`${rack.url}/v1/apps/guestbook/formation`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"web":{"count":-1,"cpu":2},"worker":{"memoryBytes":1.5}}',
  })
  assert.equal(status, 422)
  assert.equal(body.code, 'invalid')
  const details = body.details as { in: string; path: string }[]
  assert.deepEqual(
    details.map(({ in: part, path }) => `${part} ${path}`),
    ['body web.count', 'body web', 'body worker.memoryBytes'],
  )
  assert.match(String(body.detail), /cpu/)
})

test('an argument with a NUL byte is refused at its place, before anything is asked of an engine', async () => {
  await using rack = await serveOperations({})
  const { status, body } = await ask(`${rack.url}/v1/apps/guestbook/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'web', command: ['sh', 'a\0b'] }),
  })
  assert.deepEqual([status, body.code], [422, 'invalid'])
  assert.match(String(body.detail), /command\.1: expected text without a NUL byte/)
})

test('query and body are judged together', async () => {
  await using rack = await serveOperations({})
  const { body } = await ask(`${rack.url}/v1/apps/guestbook/logs?tail=-1&follow=maybe&folow=true&since=noon`)
  const paths = (body.details as { path: string }[]).map(({ path }) => path)
  assert.deepEqual(paths.sort(), ['', 'follow', 'since', 'tail'])
  assert.match(String(body.detail), /follow: expected true or false/)
})

const refusals: [
  name: string,
  path: string,
  options: Parameters<typeof ask>[1],
  status: number,
  code: string,
][] = [
  ['no such route', '/v1/nothing', {}, 404, 'not-found'],
  ['an address that cannot be read', '/v1/apps/%zz', {}, 400, 'usage'],
  ['a name without end', `/v1/apps/${'a'.repeat(500)}`, {}, 400, 'usage'],
  ['no such method', '/v1/rack', { method: 'PUT' }, 404, 'not-found'],
  [
    'half a JSON',
    '/v1/apps',
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"na' },
    400,
    'usage',
  ],
  [
    'no JSON',
    '/v1/apps',
    { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<name/>' },
    400,
    'usage',
  ],
  [
    'too much JSON',
    '/v1/apps',
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(5_000_000)}"` },
    413,
    'too-large',
  ],
  [
    'no tar',
    '/v1/apps/guestbook/builds',
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    400,
    'usage',
  ],
  ['a terminal without a WebSocket', '/v1/apps/guestbook/run?type=web', {}, 400, 'usage'],
]
for (const [name, path, options, status, code] of refusals) {
  test(`refused with a problem: ${name}`, async () => {
    await using rack = await serveOperations({})
    const answer = await ask(rack.url + path, options)
    assert.deepEqual([answer.status, answer.body.code], [status, code])
    assert.equal(answer.headers['content-type'], 'application/problem+json')
  })
}

test('the log names routes, not addresses: commands and values stay out', async () => {
  await using rack = await serveOperations({ listApps: async () => [] })
  await ask(`${rack.url}/v1/apps/guestbook/run?type=web&command=hunter2`)
  assert.ok(!JSON.stringify(rack.logged).includes('hunter2'))
  assert.ok(
    rack.logged.some(({ fields }) => fields.route === '/v1/apps/:app/run' && fields.actor === 'writer'),
  )
})

test('a port that is taken is said to be', async () => {
  await using rack = await serveOperations({})
  const quiet = { info: () => undefined, error: () => undefined }
  const second = await createEdge({ door: {} as never, faces: [createApiFace({ version: '1' })], log: quiet })
  const port = Number(new URL(rack.url).port)
  await assert.rejects(second.listen({ host: '127.0.0.1', port }), { code: 'port-taken' })
  await second.close()
})
