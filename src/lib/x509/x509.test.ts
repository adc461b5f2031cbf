import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { createAuthority, createSelfSigned, issueCertificate } from './issue.ts'
import { BundleError, isKeyOf, readBundle, readPrivateKey } from './read-bundle.ts'

const day = 86_400_000
const from = new Date(Date.now() - day)
const until = new Date(Date.now() + 30 * day)
const authority = await createAuthority({ name: 'Rack test', from, until })
const issue = (names: string[]) =>
  issueCertificate({ authority, names, from, until, usages: ['server', 'client'] })

test('what an authority signs is believed by whoever believes the authority, for its names alone', async (t) => {
  const { certificate, key } = await issue(['shop.example.com', '*.shop.example.com'])
  const server = createServer({ cert: certificate, key }, (socket) => socket.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const ask = async (servername: string, ca?: string) => {
    const socket = connect({ port, host: '127.0.0.1', servername, ...(ca !== undefined && { ca }) })
    return (await socket.setEncoding('utf8').toArray()).join('')
  }
  assert.equal(await ask('shop.example.com', authority.certificate), 'hello')
  assert.equal(await ask('a.shop.example.com', authority.certificate), 'hello')
  await assert.rejects(ask('other.example.com', authority.certificate), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
  await assert.rejects(ask('shop.example.com'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  const root = new X509Certificate(authority.certificate)
  assert.ok(root.ca && root.verify(root.publicKey))
  const long = `${'a'.repeat(60)}.example.com`
  assert.deepEqual(
    readBundle((await issue([long])).certificate, [authority.certificate]).names,
    [long],
    'longer than a subject may be',
  )
})

test('what is signed by itself is believed by whoever believes it, and by nobody who believes another of its name', async (t) => {
  const [own, other] = await Promise.all(
    [1, 2].map(async () => await createSelfSigned({ names: ['api.r.internal'], from, until })),
  )
  const server = createServer({ cert: own!.certificate, key: own!.key }, (socket) => socket.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const ask = async (ca: string, servername = 'api.r.internal') => {
    const socket = connect({ port, host: '127.0.0.1', servername, ca })
    return (await socket.setEncoding('utf8').toArray()).join('')
  }
  assert.equal(await ask(own!.certificate), 'hello')
  await assert.rejects(ask(other!.certificate), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  await assert.rejects(ask(own!.certificate, 'api.s.internal'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  assert.equal(new X509Certificate(own!.certificate).ca, false)
})

test('a bundle is read whatever its order and its ends of lines', async () => {
  const { certificate, key } = await issue(['shop.example.com'])
  const reversed = `${authority.certificate}${certificate}`.replaceAll('\n', '\r\n')
  const bundle = readBundle(`Bag Attributes\r\n${reversed}`, [])
  assert.deepEqual(bundle.chain, [certificate], 'without the root')
  assert.deepEqual(
    [bundle.names, bundle.issuer, bundle.isSelfSigned],
    [['shop.example.com'], 'Rack test', false],
  )
  assert.equal(bundle.fingerprint, new X509Certificate(certificate).fingerprint256)
  assert.ok(isKeyOf(readPrivateKey(key.replaceAll('\n', '\r\n')).key, bundle))
  assert.ok(!isKeyOf(readPrivateKey((await issue(['x.example.com'])).key).key, bundle))
})

test('what cannot be used says why', async () => {
  const one = (await issue(['a.example.com'])).certificate
  const two = (await issue(['b.example.com'])).certificate
  const other = await createAuthority({ name: 'Other', from, until })
  const stranger = (
    await issueCertificate({ authority: other, names: ['c.example.com'], from, until, usages: [] })
  ).certificate
  const refusals: [() => unknown, RegExp][] = [
    [() => readBundle('nothing', []), /no certificate/],
    [() => readBundle(one.replace(/\n[A-Za-z0-9]{8}/, '\nAAAAAAAA'), []), /damaged/],
    [() => readBundle(one + two, []), /several hosts/],
    [() => readBundle(stranger + one, []), /several hosts/],
    [() => readBundle(one, []), /not complete: the certificate of Rack test is missing/],
    [() => readPrivateKey('nothing'), /no private key/],
    [() => readPrivateKey(lockedKey()), /passphrase/],
  ]
  for (const [read, why] of refusals)
    assert.throws(read, (error) => error instanceof BundleError && why.test(error.message), String(why))
  assert.equal(createPrivateKey(authority.key).asymmetricKeyType, 'ec')
})

function lockedKey(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' },
  })
  return privateKey
}
