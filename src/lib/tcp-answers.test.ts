import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { tcpProblem } from './tcp-answers.ts'

const wait = { deadlineMs: 60_000, signal: new AbortController().signal }

test('says whether an address takes connections, and why not', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.equal(await tcpProblem({ host: '127.0.0.1', port }, wait), null)
  server.close()
  await once(server, 'close')
  assert.equal(await tcpProblem({ host: '127.0.0.1', port }, wait), 'the connection is refused')
  assert.match((await tcpProblem({ host: 'no-such-host.invalid', port: 1 }, wait)) ?? '', /host|looked up/)
})

test('a caller who leaves ends the wait', async () => {
  const leaving = AbortSignal.abort(new Error('left'))
  await assert.rejects(tcpProblem({ host: '127.0.0.1', port: 1 }, { ...wait, signal: leaving }), /left/)
})
