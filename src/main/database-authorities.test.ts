import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { databaseAuthorities } from './database-authorities.ts'

const bundle = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

async function startServer(answer: { status: number; text: string }) {
  const server = createServer((_request, response) => response.writeHead(answer.status).end(answer.text))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: async () => void server.close() }
}

function keeperOf(kept: string | null) {
  const written: string[] = []
  const said: string[] = []
  const keeper = { read: async () => kept, write: async (text: string) => void written.push(text) }
  return { keeper, written, said, log: { warn: (_facts: object, text: string) => said.push(text) } as never }
}

const at = (url: string) => ({ RACK_DATABASE_AUTHORITIES: url })

test('authorities are kept where they are others than before', async () => {
  await using server = await startServer({ status: 200, text: bundle })
  for (const [kept, written] of [
    [null, [bundle]],
    [bundle, []],
  ] as const) {
    const means = keeperOf(kept)
    assert.equal(await databaseAuthorities(at(server.url), 'eu-west-1', means), bundle)
    assert.deepEqual([means.written, means.said], [written, []])
  }
})

test('those of an earlier start do where none are to be had, and without them it is said what is missing', async () => {
  for (const answer of [
    { status: 503, text: bundle },
    { status: 200, text: '<html>sign in to this network</html>' },
  ]) {
    await using server = await startServer(answer)
    const means = keeperOf(bundle)
    assert.equal(await databaseAuthorities(at(server.url), 'eu-west-1', means), bundle)
    assert.deepEqual([means.written.length, means.said.length], [0, 1])
    await assert.rejects(databaseAuthorities(at(server.url), 'eu-west-1', keeperOf(null)), {
      code: 'engine-unavailable',
      hint: /RACK_DATABASE_AUTHORITIES/,
    })
  }
})
