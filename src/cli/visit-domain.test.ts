import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createAuthority, issueCertificate, type Issued } from '../lib/x509/issue.ts'
import { visitDomain, type Visit } from './visit-domain.ts'

const name = 'shop.example.com'
const [from, until] = [new Date(), new Date(Date.now() + 86_400_000)]
const own = await createAuthority({ name: 'rack', from, until })
const public_ = await createAuthority({ name: 'public', from, until })
const place = { name, isInAccount: false, balancer: null, authority: own.certificate }
const within = (lookup = async () => ['127.0.0.1']) => ({ lookup, signal: AbortSignal.timeout(30_000) })

async function listen(t: TestContext, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Somebody who answers by TLS as told, with a certificate of this authority. */
async function serve(t: TestContext, authority: Issued, { names = [name], status = 200 } = {}) {
  const made = await issueCertificate({ authority, names, from, until, usages: ['server'] })
  const server = createTlsServer({ cert: made.certificate, key: made.key }, (asked, answer) => {
    answer.writeHead(status).end(asked.headers.host)
  })
  const https = await listen(t, server)
  const { fingerprint256 } = new X509Certificate(made.certificate)
  const visit: Visit = {
    ...place,
    http: 80,
    https,
    fingerprints: [fingerprint256],
  }
  return visit
}

/** What was found, bad things with a mark. */
async function look(visit: Visit, lookup?: () => Promise<string[]>): Promise<string[]> {
  const findings = await visitDomain(visit, within(lookup))
  return findings.map(({ what, problem }) => (problem ? `${what}!` : what))
}

test('a domain whose certificate is believed and that answers is good', async (t) => {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, public_.certificate])
  t.after(() => setDefaultCACertificates(before))
  assert.deepEqual(await look(await serve(t, public_)), ['dns', 'port', 'certificate', 'answer'])
})

test('each thing that keeps visitors away is told', async (t) => {
  const nobody = async () => await Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
  const good = await serve(t, own)
  assert.deepEqual(await look(good, nobody), ['dns!'])
  assert.deepEqual(await look(good, async () => []), ['dns!'])
  const closed = await listen(t, createServer())
  const server = createServer()
  const gone = await listen(t, server)
  server.close()
  assert.deepEqual(await look({ ...good, https: gone }), ['dns', 'port!'])
  assert.deepEqual(await look({ ...good, https: closed }), ['dns', 'port', 'certificate!', 'answer!'])
  assert.deepEqual(await look(good), ['dns', 'port', 'certificate!', 'answer'], 'browsers do not know it')
  assert.deepEqual(await look(await serve(t, public_)), ['dns', 'port', 'certificate!', 'answer'])
  const other = await serve(t, public_)
  const [finding] = (await visitDomain({ ...other, fingerprints: [] }, within())).slice(2)
  assert.match(finding!.text, /another one than the rack's/)
  const misnamed = await serve(t, public_, { names: ['other.example.com'] })
  const [named] = (await visitDomain(misnamed, within())).slice(2)
  assert.match(named!.text, /does not name shop\.example\.com/)
  assert.deepEqual(await look(await serve(t, own, { status: 503 })), [
    'dns',
    'port',
    'certificate!',
    'answer!',
  ])
})

test('a rack without TLS is visited by http', async (t) => {
  const hosts: string[] = []
  const server = createServer((asked, answer) => answer.end(String(hosts.push(asked.headers.host ?? ''))))
  const http = await listen(t, server)
  const visit: Visit = { ...place, http, https: null, fingerprints: null }
  assert.deepEqual(await look(visit), ['dns', 'port', 'answer'])
  assert.deepEqual(hosts, [`${name}:${http}`])
})

test('a name without an address is told where its DNS has to lead', async () => {
  const hintOf = async (balancer: string | null) => {
    const visit: Visit = { ...place, balancer, http: 80, https: null, fingerprints: null }
    const [finding] = await visitDomain(
      visit,
      within(async () => []),
    )
    return finding!.problem!.hint
  }
  assert.match(await hintOf(null), /lead to the rack: an A record with its address/)
  assert.match(await hintOf('web-2.elb.test'), /lead to web-2\.elb\.test: a CNAME/)
})

test('a name that leads to another load balancer than its app is behind is told', async (t) => {
  const balancer = 'web-2.elb.test'
  const http = await listen(
    t,
    createServer((_asked, answer) => answer.end()),
  )
  const visit: Visit = { ...place, balancer, isInAccount: true, http, https: null, fingerprints: null }
  const told = async (own: () => Promise<string[]>) => {
    const lookup = async (host: string) => (host === balancer ? await own() : ['127.0.0.1'])
    const [finding] = await visitDomain(visit, { lookup, signal: AbortSignal.timeout(30_000) })
    return [finding!.text, finding!.problem?.hint.split(': ')[0]]
  }
  assert.deepEqual(await told(async () => ['127.0.0.2']), [
    `127.0.0.1: none is of ${balancer}`,
    `Let the DNS of shop.example.com lead to ${balancer}`,
  ])
  assert.deepEqual(await told(async () => ['127.0.0.2', '127.0.0.1']), ['127.0.0.1', undefined])
  assert.deepEqual(await told(async () => await Promise.reject(new Error('no'))), ['127.0.0.1', undefined])
})

test('certificates of an account are judged by whether they are believed, and no command of the rack is named for them', async (t) => {
  const visit = { ...(await serve(t, public_)), isInAccount: true, fingerprints: null }
  const found = await visitDomain(visit, within())
  assert.match(found[2]!.text, /^not believed here/)
  assert.match(found[2]!.problem!.hint, /account .*: rack domains$/)
})
