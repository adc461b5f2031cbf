import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { startMemoryRack, tester } from '../../../test/support/memory-rack.ts'
import { RackError } from '../../domain/error.ts'
import { createAuthority, issueCertificate } from '../../lib/x509/issue.ts'

const day = 86_400_000
const inDays = (count: number) => new Date(Date.now() + count * day)
const authority = await createAuthority({ name: 'Uploads', from: inDays(-10), until: inDays(900) })

async function pairFor(names: string[], from = inDays(-1), until = inDays(90)) {
  const issued = await issueCertificate({ authority, names, from, until, usages: ['server'] })
  return { certificate: issued.certificate + authority.certificate, key: issued.key }
}

const hostThat = (updateRouter: () => Promise<void>) => ({
  describe: async () => ({ http: '', https: null, daemon: { pid: 1 }, router: { pid: null, load: null } }),
  configuration: () => ({}),
  traffic: async () => ({}),
  disk: async () => ({ totalBytes: 0, freeBytes: 0, storeBytes: null }),
  unservedPorts: async () => [],
  updateRouter,
  servesTls: true,
  names: async () => [],
  withoutCertificates: null,
  nameStates: () => [],
  balancerOf: () => null,
  dnsHook: null,
})

test('a certificate is kept, found by its name, never told with its key, and removed', async () => {
  await using rack = await startMemoryRack()
  let shown = 0
  const host = hostThat(async () => void shown++)
  const operations = (await rack.restart({ host })).operations.as(tester)
  const pair = await pairFor(['shop.example.com', '*.shop.example.com'])
  const added = await operations.addCertificate(pair, rack.control)
  assert.deepEqual(
    [added.names, added.issuer, shown],
    [['shop.example.com', '*.shop.example.com'], 'Uploads', 1],
  )
  assert.deepEqual(await operations.listCertificates(), [added])
  for (const name of [added.id, added.id.toLowerCase(), 'Shop.example.com', 'a.shop.example.com'])
    assert.deepEqual(await operations.getCertificate(name), added)
  await assert.rejects(operations.addCertificate(pair, rack.control), { code: 'exists' })
  const told = JSON.stringify([
    await operations.listCertificates(),
    await operations.listAudit({ limit: 50 }),
  ])
  assert.ok(!told.includes('PRIVATE') && !told.includes(pair.key.split('\n')[1]!))
  await assert.rejects(operations.removeCertificate('shop.example.com', rack.control), { code: 'not-found' })
  await operations.removeCertificate(added.id.toLowerCase(), rack.control)
  assert.equal(shown, 2)
  await assert.rejects(operations.getCertificate(added.id), { code: 'not-found' })
})

test('where none is shown that is brought, one is refused with what there is instead', async () => {
  await using rack = await startMemoryRack()
  const withoutCertificates = { why: 'only those of the account are shown', instead: 'Add a domain' }
  const host = { ...hostThat(async () => undefined), withoutCertificates }
  const operations = (await rack.restart({ host })).operations.as(tester)
  await assert.rejects(operations.addCertificate(await pairFor(['shop.example.com']), rack.control), {
    code: 'unsupported',
    message: withoutCertificates.why,
    hint: withoutCertificates.instead,
  })
  assert.deepEqual(await operations.listCertificates(), [])
})

test('one that the router does not take up is not kept, and in nobody’s way', async () => {
  await using rack = await startMemoryRack()
  const refusal = new RackError('host-failed', 'the router refused "set ssl cert"')
  const host = hostThat(() => Promise.reject(refusal))
  const operations = (await rack.restart({ host })).operations.as(tester)
  const pair = await pairFor(['shop.example.com'])
  await assert.rejects(operations.addCertificate(pair, rack.control), refusal)
  assert.deepEqual(await operations.listCertificates(), [])
})

test('what cannot be shown is refused, saying what is wrong, and nothing is kept', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  const good = await pairFor(['shop.example.com'])
  const leaf = good.certificate.slice(0, good.certificate.indexOf('-----END') + 26)
  const short = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const refusals: [{ certificate: string; key: string }, RegExp][] = [
    [{ ...good, key: (await pairFor(['x.example.com'])).key }, /key is that of another certificate/],
    [{ ...good, key: short.privateKey }, /key is that of another certificate/],
    [{ ...good, certificate: leaf }, /chain is not complete: the certificate of Uploads is missing/],
    [{ ...good, certificate: good.key }, /no certificate in the file/],
    [await pairFor(['old.example.com'], inDays(-9), inDays(-1)), /has expired/],
    [await pairFor(['new.example.com'], inDays(2)), /holds only from/],
    [await pairFor([]), /names no host/],
    [
      await pairFor(Array.from({ length: 400 }, (_, at) => `${'a'.repeat(40)}${at}.example.com`)),
      /15000 bytes/,
    ],
  ]
  for (const [pair, why] of refusals) {
    const refused = (error: RackError) =>
      error.code === 'invalid' && why.test(error.message) && Boolean(error.hint)
    await assert.rejects(operations.addCertificate(pair, control), refused, String(why))
  }
  assert.deepEqual(await operations.listCertificates(), [])
})

test('the authority of a rack is the same for good, and signs for one name at a time', async () => {
  await using rack = await startMemoryRack()
  const one = await rack.operations.getAuthority()
  assert.match(one.certificate, /^-----BEGIN CERTIFICATE-----/)
  assert.deepEqual(await (await rack.restart()).operations.as(tester).getAuthority(), one)
})
