import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkEngine } from './engine-check.ts'

async function serveVersion(body: unknown) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'engine-'))
  const socketPath = join(folder.path, 'docker.sock')
  const server = createServer((_request, response) => response.end(JSON.stringify(body)))
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
      await folder.remove()
    },
  }
}

test('an engine of 20.10 or newer will do', async () => {
  await using engine = await serveVersion({ Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' })
  assert.deepEqual(await checkEngine(engine.socketPath), {
    version: '20.10.24',
    apiVersion: '1.41',
  })
})

test('an older one will not, though its number looks larger as a fraction', async () => {
  await using engine = await serveVersion({ Version: '1.9', ApiVersion: '1.9' })
  await assert.rejects(checkEngine(engine.socketPath), { code: 'unsupported', message: /too old/ })
})

test('no socket, and one on which nobody listens, say what to type', async () => {
  await assert.rejects(checkEngine('/nowhere/docker.sock'), {
    code: 'engine-unavailable',
    message: /no such socket/,
    hint: /scripts\/setup/,
  })
  await using folder = await mkdtempDisposable(join(tmpdir(), 'engine-'))
  const file = join(folder.path, 'docker.sock')
  await writeFile(file, '')
  await assert.rejects(checkEngine(file), { code: 'engine-unavailable', message: /nothing listens there/ })
})
