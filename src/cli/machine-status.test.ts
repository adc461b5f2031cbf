import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdtempDisposable } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Installation } from '../host/installation.ts'
import { waitUntilReady } from './machine-status.ts'

test('a daemon of before an update, which does not say what is still to come back, is waited for all the same', async () => {
  const statuses = ['converging', 'running']
  const server = createServer((_request, response) => {
    const status = statuses.shift() ?? 'running'
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ name: 'old', status }))
  })
  await using folder = await mkdtempDisposable(join(tmpdir(), 'status-'))
  const path = join(folder.path, 'api.sock')
  server.listen(path)
  await once(server, 'listening')
  await chmod(path, 0o600)
  const installation = { name: 'old', socket: { path, group: null } } as Partial<Installation> as Installation
  const output = { say: (text: string) => assert.fail(text) }
  try {
    assert.equal(await waitUntilReady({ output }, installation, { token: 't' }), true)
    assert.deepEqual(statuses, [])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
