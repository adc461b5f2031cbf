import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import { createConnection, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import type { DockerClient, DockerRequest } from '../client.ts'
import { openBuildKitSession } from './buildkit-session.ts'

test('the session says that it is well, and that it knows no other call', { timeout: 5000 }, async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const engineSide = createConnection((server.address() as { port: number }).port, '127.0.0.1')
  const [ourSide] = await accepted
  const asked: DockerRequest[] = []
  const upgrade: DockerClient['upgrade'] = async (request) => {
    asked.push(request)
    return ourSide
  }
  const control = { signal: AbortSignal.timeout(5000), report: () => {} }
  {
    using session = await openBuildKitSession({ upgrade } as DockerClient, control)
    assert.equal(asked[0]?.path, '/session')
    assert.equal(asked[0]?.headers?.['X-Docker-Expose-Session-Uuid'], session.id)
    const client = connect('http://engine', { createConnection: () => engineSide })
    const health = await call(client, '/grpc.health.v1.Health/Check')
    assert.deepEqual(health, { status: '0', body: Buffer.from([0, 0, 0, 0, 2, 8, 1]) })
    const other = await call(client, '/moby.filesync.v1.Auth/Credentials')
    assert.deepEqual(other, { status: '12', body: Buffer.alloc(0) })
    client.destroy()
  }
  server.close()
})

async function call(client: ClientHttp2Session, path: string) {
  const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
  stream.end(Buffer.from([0, 0, 0, 0, 0]))
  let status: unknown
  stream.on('response', (headers) => (status = headers['grpc-status']))
  stream.on('trailers', (headers) => (status = headers['grpc-status']))
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return { status, body: Buffer.concat(chunks) }
}
