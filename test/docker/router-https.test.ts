import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { request, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { describe, test, type TestContext } from 'node:test'
import type { CertificateSource, KeptCertificate } from '../../src/domain/certificate.ts'
import type { Challenge } from '../../src/domain/certificate-order.ts'
import type { Domain } from '../../src/domain/domain-name.ts'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import { readBundle } from '../../src/lib/x509/read-bundle.ts'
import type { AppRoutes } from '../../src/router/route-table.ts'
import { createRuntimeApi } from '../../src/router/runtime-api.ts'
import {
  control,
  freePort,
  get,
  local,
  startCopy,
  startRouter,
  webApp,
  workerOf,
} from '../support/routers.ts'

const run = promisify(execFile)
const span = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 90 * 86_400_000) }
const authority = await createAuthority({ name: 'Rack test', ...span })
const uploads = await createAuthority({ name: 'Uploads', ...span })

const issue = async (names: string[], by = authority) => {
  const { certificate, key } = await issueCertificate({ authority: by, names, ...span, usages: ['server'] })
  return { chain: certificate, key }
}

async function keptFor(id: string, names: string[]): Promise<KeptCertificate> {
  const pair = await issue(names, uploads)
  const { fingerprint, issuer } = readBundle(pair.chain, [uploads.certificate])
  const [from, until] = [span.from.toISOString(), span.until.toISOString()]
  return { id, names, issuer, fingerprint, from, until, since: from, authority: null, ...pair }
}

/** A router that speaks TLS, with what somebody has brought. */
async function startTls(t: TestContext, domains: readonly Domain[] = [], challenges: Challenge[] = []) {
  const kept: KeptCertificate[] = []
  const issued: string[] = []
  const certificates: CertificateSource = {
    kept: () => kept,
    authorityId: async () => 'aa',
    issue: async (name) => {
      issued.push(name)
      return await issue([name])
    },
  }
  const port = await freePort()
  const place = await startRouter(t, {
    https: { port, certificates, challenges: { open: () => challenges } },
    domains: { current: () => domains },
  })
  return { ...place, port, kept, issued }
}

interface Answer {
  status: number
  body: string
  headers: IncomingMessage['headers']
  certificate: PeerCertificate
}

async function ask(port: number, host: string, more: RequestOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const ca = [authority.certificate, uploads.certificate]
  const options = { port, host: local, servername: host, ca, agent: false as const, headers: { host } }
  request({ ...options, ...more }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  const certificate = (response.socket as TLSSocket).getPeerCertificate()
  const body = (await response.setEncoding('utf8').toArray()).join('')
  return { status: response.statusCode ?? 0, body, headers: response.headers, certificate }
}

const echo = (request: IncomingMessage) =>
  JSON.stringify(Object.entries(request.headers).filter(([name]) => name.startsWith('x-forwarded-')))

async function startShop(
  t: TestContext,
  more: Partial<AppRoutes['http'][0]['backend']> = {},
): Promise<AppRoutes> {
  const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', (asked, response) => response.end(echo(asked)))
  return webApp('shop', [copy], more)
}

describe('http by TLS', { timeout: 300_000 }, () => {
  test("every host is shown a certificate of the rack's own, and told to the app as https", async (t) => {
    const { router, port, httpPort, issued, directory } = await startTls(t)
    await router.apply('shop', await startShop(t), control)
    const { status, body, certificate } = await ask(port, 'shop.localhost')
    assert.equal(status, 200)
    assert.deepEqual(Object.fromEntries(JSON.parse(body) as [string, string][]), {
      'x-forwarded-for': local,
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(port),
      'x-forwarded-host': 'shop.localhost',
    })
    assert.equal(certificate.subjectaltname, 'DNS:shop.localhost')
    assert.equal((await get(httpPort, 'shop.localhost')).status, 200, 'http serves on')
    assert.deepEqual(issued, ['default.invalid', 'shop.localhost', 'web.shop.localhost'])
    const folder = `${directory}/certificates`
    const files = await readdir(folder)
    assert.equal(files.length, 3)
    for (const name of files) assert.equal((await stat(`${folder}/${name}`)).mode & 0o777, 0o600)
  })

  test('who names no host, or one that nobody has, is shown the default and a plain 404', async (t) => {
    const { router, port } = await startTls(t)
    await router.apply('shop', await startShop(t), control)
    const loose = { rejectUnauthorized: false }
    const nameless = await ask(port, 'shop.localhost', { ...loose, servername: '' })
    assert.deepEqual([nameless.status, nameless.certificate.subjectaltname], [404, 'DNS:default.invalid'])
    const unknown = await ask(port, 'other.localhost', loose)
    assert.deepEqual([unknown.status, unknown.certificate.subjectaltname], [404, 'DNS:default.invalid'])
    assert.equal(unknown.body, 'There is no site by this name here.\n')
  })

  test('HTTP/2 is spoken with who can, TLS before 1.2 with nobody', async (t) => {
    const { router, port } = await startTls(t)
    await router.apply('shop', await startShop(t), control)
    const session = connectHttp2(`https://shop.localhost:${port}`, {
      ca: authority.certificate,
      servername: 'shop.localhost',
      host: local,
      lookup: (_name, _options, done) => done(null, [{ address: local, family: 4 }]),
    })
    t.after(() => session.destroy())
    const stream = session.request({ ':path': '/' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    assert.equal(headers[':status'], 200)
    assert.match((await stream.setEncoding('utf8').toArray()).join(''), /"x-forwarded-proto","https"/)
    const old = connect({
      port,
      host: local,
      servername: 'shop.localhost',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    })
    const [refusal] = (await once(old, 'error')) as [NodeJS.ErrnoException]
    assert.match(String(refusal.code), /ERR_SSL|ECONNRESET/)
  })

  test('a certificate comes, is renewed and leaves without a reload, and no connection ends', async (t) => {
    const place = await startTls(t)
    const { router, port, httpPort, kept } = place
    await router.apply('shop', await startShop(t), control)
    const worker = await workerOf(place)
    const held = connect({ port, host: local, servername: 'shop.localhost', ca: authority.certificate })
    t.after(() => held.destroy())
    await once(held, 'secureConnect')
    for (const id of ['CAAAAAAAAAA', 'CBBBBBBBBBB', 'CCCCCCCCCCC']) {
      kept.splice(0, kept.length, await keptFor(id, ['shop.localhost', '*.shop.localhost']))
      await router.ensureRunning(control)
      for (const host of ['shop.localhost', 'web.shop.localhost']) {
        const { certificate, status } = await ask(port, host)
        assert.deepEqual([status, certificate.fingerprint256], [200, kept[0]!.fingerprint])
      }
    }
    const { status, headers } = await get(httpPort, 'shop.localhost', {}, { path: '/a?b=c&d' })
    assert.deepEqual([status, headers.location], [308, `https://shop.localhost:${port}/a?b=c&d`])
    kept.length = 0
    await router.ensureRunning(control)
    assert.equal((await ask(port, 'shop.localhost')).certificate.issuer.CN, 'Rack test')
    assert.equal((await get(httpPort, 'shop.localhost')).status, 200, 'nobody is sent to https any more')
    held.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    assert.match(String((await once(held, 'data'))[0]), /^HTTP\/1.1 200/)
    assert.equal(await workerOf(place), worker, 'no reload')
  })

  test('a certificate that HAProxy refuses, or that a daemon left half told, is in no other one’s way', async (t) => {
    const place = await startTls(t)
    const { router, port, kept, directory } = place
    await router.apply('shop', await startShop(t), control)
    const [lost, wrong] = [await keptFor('CAAAAAAAAAA', ['shop.localhost']), await issue(['shop.localhost'])]
    kept.push({ ...lost, id: 'CBBBBBBBBBB', key: wrong.key })
    await assert.rejects(router.ensureRunning(control), {
      code: 'host-failed',
      message: /refused "commit ssl cert/,
    })
    kept.length = 0
    await router.ensureRunning(control)
    const runtime = createRuntimeApi(directory, async () => true)
    const tell = async (command: string) =>
      await runtime.change(await workerOf(place), command, /^(New|Transaction)/, control)
    const path = `${directory}/certificates/killed.pem`
    await tell(`new ssl cert ${path}`)
    await tell(`set ssl cert ${path} <<\n${`${lost.chain}${lost.key}`.trim()}\n`)
    kept.push(lost)
    await router.ensureRunning(control)
    assert.equal((await ask(port, 'shop.localhost')).certificate.fingerprint256, lost.fingerprint)
  })

  test('a daemon that comes later, and a reload, show what there was; only what is due is made anew', async (t) => {
    const place = await startTls(t)
    const { router, make, port, kept, issued } = place
    await router.apply('shop', await startShop(t), control)
    kept.push(await keptFor('CAAAAAAAAAA', ['shop.localhost']))
    await router.ensureRunning(control)
    const before = (await ask(port, 'web.shop.localhost')).certificate.fingerprint256
    const made = issued.length
    const later = make()
    await later.start(control)
    await later.apply('blog', webApp('blog', []), control)
    assert.deepEqual(issued.slice(made), ['blog.localhost', 'web.blog.localhost'])
    assert.equal((await ask(port, 'web.shop.localhost')).certificate.fingerprint256, before)
    assert.equal((await ask(port, 'shop.localhost')).certificate.fingerprint256, kept[0]!.fingerprint)
  })

  test('an app may keep http, and have browsers come by https alone', async (t) => {
    const { router, port, httpPort, kept } = await startTls(t)
    kept.push(await keptFor('CAAAAAAAAAA', ['*.localhost', 'shop.localhost']))
    await router.apply('shop', await startShop(t, { keepsHttp: true, hstsSeconds: 86_400 }), control)
    const plain = await get(httpPort, 'shop.localhost')
    assert.deepEqual([plain.status, plain.headers['strict-transport-security']], [200, undefined])
    const { headers } = await ask(port, 'shop.localhost')
    assert.equal(headers['strict-transport-security'], 'max-age=86400')
  })

  test('what a replaced worker hands over stays what came by TLS', async (t) => {
    const place = await startTls(t)
    const { router, port } = place
    await router.apply('shop', await startShop(t), control)
    const held = connect({ port, host: local, servername: 'shop.localhost', ca: authority.certificate })
    t.after(() => held.destroy())
    await once(held, 'secureConnect')
    held.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    await once(held, 'data')
    const worker = await workerOf(place)
    await router.apply('blog', webApp('blog', []), control)
    assert.notEqual(await workerOf(place), worker, 'a reload')
    held.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    let answer = ''
    held.on('data', (piece: Buffer) => (answer += String(piece)))
    held.resume()
    await once(held, 'end').catch(() => undefined)
    assert.match(answer, /"x-forwarded-proto","https"/)
  })

  test('a domain comes and leaves without a reload: on both ports, by wildcards, with its certificate', async (t) => {
    const domains: Domain[] = []
    const place = await startTls(t, domains)
    const { router, port, httpPort, kept } = place
    await router.apply('shop', await startShop(t), control)
    await router.apply('blog', webApp('blog', [await startCopy(t, 'PBBBBBBBBBB', 'R1')]), control)
    const worker = await workerOf(place)
    const since = span.from.toISOString()
    assert.equal((await get(httpPort, 'www.example.com')).status, 404)
    domains.push({ name: '*.example.com', app: 'shop', process: null, since })
    domains.push({ name: 'blog.example.com', app: 'blog', process: 'web', since })
    domains.push({ name: 'lost.example.org', app: 'blog', process: 'none', since })
    await router.ensureRunning(control)
    assert.match((await get(httpPort, 'www.Example.com.')).body, /x-forwarded-host/)
    assert.equal((await get(httpPort, 'blog.example.com')).body, 'PBBBBBBBBBB', 'its very name goes first')
    for (const host of ['a.b.example.com', 'example.com', 'lost.example.org'])
      assert.equal((await get(httpPort, host)).status, 404, host)
    const own = await ask(port, 'www.example.com')
    assert.deepEqual([own.status, own.certificate.subjectaltname], [200, 'DNS:*.example.com'])
    kept.push(await keptFor('CAAAAAAAAAA', ['*.example.com']))
    await router.ensureRunning(control)
    assert.equal((await ask(port, 'blog.example.com')).certificate.fingerprint256, kept[0]!.fingerprint)
    const sent = await get(httpPort, 'www.example.com')
    assert.deepEqual([sent.status, sent.headers.location], [308, `https://www.example.com:${port}/`])
    domains.length = 0
    await router.ensureRunning(control)
    assert.equal((await get(httpPort, 'www.example.com')).status, 404)
    assert.equal(await workerOf(place), worker, 'no reload')
  })

  test('an authority is answered for what is open alone: before redirects, addresses and passwords', async (t) => {
    const challenges: Challenge[] = []
    const place = await startTls(t, [], challenges)
    const { router, port, httpPort, kept } = place
    kept.push(await keptFor('CAAAAAAAAAA', ['shop.localhost']))
    await router.apply('shop', await startShop(t, { allowedSources: ['10.9.9.9'] }), control)
    const worker = await workerOf(place)
    const path = '/.well-known/acme-challenge/token-1'
    const visit = async (asked = path) => await get(httpPort, 'shop.localhost', {}, { path: asked })
    assert.equal((await visit()).status, 308, 'one that is not open is the app’s')
    challenges.push({ kind: 'http-01', token: 'token-1', answer: 'token-1.thumbprint' })
    await router.ensureRunning(control)
    for (const host of ['shop.localhost', 'nobody.example.com'])
      assert.deepEqual(await get(httpPort, host, {}, { path }).then(({ status, body }) => [status, body]), [
        200,
        'token-1.thumbprint',
      ])
    assert.equal((await ask(port, 'shop.localhost', { path })).body, 'token-1.thumbprint')
    for (const other of [`${path}x`, '/.well-known/acme-challenge/', '/token-1'])
      assert.equal((await visit(other)).status, 308, other)
    challenges.length = 0
    await router.ensureRunning(control)
    assert.equal((await visit()).status, 308)
    assert.equal(await workerOf(place), worker, 'no reload')
  })

  test('a port that another program has taken is told, and served again when it is free', async (t) => {
    const place = await startTls(t)
    const { router, make, port, httpPort } = place
    await router.apply('shop', await startShop(t), control)
    assert.deepEqual(await router.unservedPorts(), [])
    await router.stop(control)
    const thief = createServer().listen(port, local)
    await once(thief, 'listening')
    const again = make()
    await again.start(control)
    const holder = { pid: process.pid, program: (await readFile('/proc/self/comm', 'utf8')).trim() }
    assert.deepEqual(await again.unservedPorts(), [{ app: null, process: 'https', port, holder }])
    assert.equal((await get(httpPort, 'shop.localhost')).status, 200)
    thief.close()
    await once(thief, 'close')
    await again.ensureRunning(control)
    assert.equal((await ask(port, 'shop.localhost')).status, 200)
    assert.deepEqual(await again.unservedPorts(), [])
  })

  test('curl believes what the authority signs', async (t) => {
    const { router, port, directory } = await startTls(t)
    await router.apply('shop', await startShop(t), control)
    const { writeFile } = await import('node:fs/promises')
    const ca = `${directory}/ca.pem`
    await writeFile(ca, authority.certificate)
    const { stdout } = await run('curl', [
      '-sS',
      '--cacert',
      ca,
      '--resolve',
      `shop.localhost:${port}:${local}`,
      '-w',
      '%{http_version}',
      '-o',
      '/dev/null',
      `https://shop.localhost:${port}/`,
    ])
    assert.equal(stdout, '2')
  })
})
