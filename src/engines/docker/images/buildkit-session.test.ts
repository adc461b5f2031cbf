import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import { createConnection, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { bytesField } from '../../../lib/protobuf.ts'
import { readSshKey } from '../../../lib/ssh-key.ts'
import type { DockerClient, DockerRequest } from '../client.ts'
import { openBuildKitSession } from './buildkit-session.ts'

test('the session is well, gives what it has, and knows no other call', { timeout: 5000 }, async () => {
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
    const secrets = new Map([['token', Buffer.from('t0ken')]])
    const answers = { secrets, keys: new Map([['default', key]]), logins: [hub], folders: new Map() }
    using session = await openBuildKitSession({ upgrade } as DockerClient, answers, control)
    assert.equal(asked[0]?.path, '/session')
    assert.equal(asked[0]?.headers?.['X-Docker-Expose-Session-Uuid'], session.id)
    const client = connect('http://engine', { createConnection: () => engineSide })
    const health = await call(client, '/grpc.health.v1.Health/Check')
    assert.deepEqual(health, { status: '0', body: Buffer.from([0, 0, 0, 0, 2, 8, 1]) })
    const credentials = '/moby.filesync.v1.Auth/Credentials'
    const own = await call(client, credentials, bytesField(1, 'registry-1.docker.io'))
    const login = Buffer.concat([bytesField(1, 'shop'), bytesField(2, 'pw')])
    assert.deepEqual(own, { status: '0', body: framed(login) })
    const none = await call(client, credentials, bytesField(1, 'registry.example.com'))
    assert.deepEqual(none, { status: '0', body: framed(Buffer.alloc(0)) })
    const other = await call(client, '/moby.filesync.v1.Auth/FetchToken')
    assert.deepEqual(other, { status: '12', body: Buffer.alloc(0) })
    const getSecret = '/moby.buildkit.secrets.v1.Secrets/GetSecret'
    const secret = await call(client, getSecret, bytesField(1, 'token'))
    assert.deepEqual(secret, { status: '0', body: framed(bytesField(1, 't0ken')) })
    assert.equal((await call(client, getSecret, bytesField(1, 'other'))).status, '5')
    const checkAgent = '/moby.sshforward.v1.SSH/CheckAgent'
    assert.equal((await call(client, checkAgent)).status, '0')
    assert.equal((await call(client, checkAgent, bytesField(1, 'other'))).status, '5')
    const question = Buffer.from([0, 0, 0, 1, 11])
    const listed = await call(client, '/moby.sshforward.v1.SSH/ForwardAgent', bytesField(1, question))
    assert.ok(listed.status === '0' && listed.body.includes(key.blob))
    const broken = await call(client, getSecret, Buffer.from([0xff]))
    assert.equal(broken.status, '13')
    client.destroy()
  }
  server.close()
})

const hub = { host: 'docker.io', username: 'shop', password: 'pw' }
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
const key = readSshKey(String(pem))

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

async function call(client: ClientHttp2Session, path: string, message: Uint8Array = Buffer.alloc(0)) {
  const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
  stream.end(framed(message))
  let status: unknown
  stream.on('response', (headers) => (status = headers['grpc-status']))
  stream.on('trailers', (headers) => (status = headers['grpc-status']))
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return { status, body: Buffer.concat(chunks) }
}
