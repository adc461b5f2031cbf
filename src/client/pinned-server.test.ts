import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import * as x509 from '@peculiar/x509'
import { WebSocketServer } from 'ws'
import { createAuthority, issueCertificate, type Issued } from '../lib/x509/issue.ts'
import { pemBlock } from '../lib/x509/pem.ts'
import { createClient } from './client.ts'
import { checkAddressLength } from './pinned-server.ts'
import { channels, encodeFrame, encodeJsonFrame } from './contract/frames.ts'

const name = 'api.shop.internal'
const day = 86_400_000
const span = { from: new Date(Date.now() - day), until: new Date(Date.now() + 30 * day) }

/** As a rack's own is: no authority, and signed by nobody else. */
async function signedByItself(): Promise<Issued> {
  const kind = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(kind, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore: span.from,
    notAfter: span.until,
    signingAlgorithm: kind,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  })
  const bytes = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate: certificate.toString('pem'),
    key: pemBlock('PRIVATE KEY', new Uint8Array(bytes)),
  }
}

interface Answer {
  status?: number
  headers?: Record<string, string>
  json?: unknown
}

/** What answers where a rack's balancer is; hears all that comes out of TLS. */
async function serve(
  t: TestContext,
  { certificate, key }: Issued,
  answer: (request: IncomingMessage) => Answer,
) {
  const heard: Buffer[] = []
  const asked: {
    host: string | undefined
    server: string | false
    token: string | undefined
    body: string
  }[] = []
  const named: string[] = []
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const { host, authorization: token } = request.headers
    asked.push({ host, server: named.at(-1) ?? false, token, body })
    const { status = 200, headers = {}, json = {} } = answer(request)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(json))
  }
  const server = createServer(
    { cert: certificate, key },
    (request, response) => void respond(request, response),
  )
  server.on('secureConnection', (socket) => {
    named.push(String(socket.servername))
    socket.prependListener('data', (piece: Buffer) => heard.push(piece))
  })
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port, heard, asked, named }
}

const own = await signedByItself()
const clientOf = (port: number, certificate = own.certificate) => {
  const address = 'aws://eu-test-1/shop'
  const server = { address, name, host: '127.0.0.1', port, certificate }
  return createClient({ url: address, token: 'rack_secret', server })
}

test('a pinned server is called by its own name, wherever it is: requests, uploads, WebSockets', async (t) => {
  const { server, port, asked, named } = await serve(t, own, ({ url }) =>
    url?.endsWith('/apps') === true ? { json: [] } : { status: 400, json: {} },
  )
  const sockets = new WebSocketServer({ server })
  const upgraded: (string | undefined)[] = []
  sockets.on('connection', (socket, { headers }) => {
    upgraded.push(headers.host, headers.authorization)
    socket.send(encodeFrame(channels.output, Buffer.from('hello')))
    socket.send(encodeJsonFrame(channels.exit, { exitCode: 7 }))
  })
  const client = clientOf(port)
  assert.deepEqual(await client.listApps(), [])
  const content = [Buffer.from('a tar')]
  const upload = client.buildApp({ params: { app: 'shop' }, content: ReadableStream.from(content) })
  await assert.rejects(upload[Symbol.asyncIterator]().next(), { code: 'unreachable' })
  assert.deepEqual(asked, [
    { host: name, server: name, token: 'Bearer rack_secret', body: '' },
    { host: name, server: name, token: 'Bearer rack_secret', body: 'a tar' },
  ])
  const shown: string[] = []
  const terminal = {
    tty: false,
    rows: 1,
    columns: 1,
    input: null,
    output: async (_stream: string, chunk: Uint8Array) => void shown.push(Buffer.from(chunk).toString()),
    onResize: () => undefined,
  }
  const exec = { params: { app: 'shop', process: 'P' }, query: { command: ['true'] } }
  assert.equal(await client.execProcess(exec, terminal), 7)
  assert.deepEqual([shown, upgraded, named.at(-1)], [['hello'], [name, 'Bearer rack_secret'], name])
})

test('whoever shows another certificate is sent nothing, be it of the same name or signed by the pinned one', async (t) => {
  const authority = await createAuthority({ name, ...span })
  const signed = await issueCertificate({ authority, names: [name], ...span, usages: ['server'] })
  for (const [shown, pinned, code] of [
    [await signedByItself(), own.certificate, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [signed, authority.certificate, 'CERT_IS_ANOTHER'],
  ] as const) {
    const { port, heard } = await serve(t, shown, () => ({ json: [] }))
    const client = clientOf(port, pinned)
    const terminal = {
      tty: false,
      rows: 1,
      columns: 1,
      input: null,
      output: async () => undefined,
      onResize: () => undefined,
    }
    const exec = { params: { app: 'shop', process: 'P' }, query: { command: ['true'] } }
    const refused = {
      code: 'untrusted',
      message: /^the certificate of aws:\/\/eu-test-1\/shop is not believed/,
      details: { url: 'aws://eu-test-1/shop', code },
    }
    for (let time = 0; time < 2; time += 1) {
      await assert.rejects(client.listApps(), refused)
      await assert.rejects(client.execProcess(exec, terminal), refused)
    }
    assert.equal(Buffer.concat(heard).toString(), '')
  }
})

test('where a pinned server leads elsewhere nobody goes', async (t) => {
  const other = await serve(t, own, () => ({ json: [] }))
  const location = `https://127.0.0.1:${other.port}/v1/apps`
  const { port } = await serve(t, own, () => ({ status: 301, headers: { location } }))
  await assert.rejects(clientOf(port).listApps(), { code: 'unreachable', message: /answered 301/ })
  assert.deepEqual(other.named, [])
})

test('what a load balancer would not take is refused here, with what to do', () => {
  const server = { address: 'aws://eu-west-1/shop', name, host: 'web', port: 443, certificate: '' }
  const url = (bytes: number) => new URL(`https://${name}/v1?command=${'x'.repeat(bytes)}`)
  checkAddressLength(url(16_000), server)
  assert.throws(() => checkAddressLength(url(16_384), server), {
    code: 'too-large',
    message: /load balancer of aws:\/\/eu-west-1\/shop/,
    hint: /standard input/,
  })
})
