import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, test } from 'node:test'
import {
  ensureApiCertificate,
  removeApiCertificate,
  renewApiCertificate,
} from '../../../src/account/api-certificate.ts'
import { createSelfSigned } from '../../../src/lib/x509/issue.ts'
import { ACM } from '@aws-sdk/client-acm'
import { createFakeAccount } from '../account.ts'
import { clientConfig } from '../client-config.ts'
import { startServer } from '../server.ts'
import { createCertificates } from './certificates.ts'

const account = await createFakeAccount({ factor: 500 })
const fake = await createCertificates(account, () => null)
const server = await startServer({ ...account, services: [fake.service] })
const certificates = new ACM(clientConfig(server))
after(async () => {
  certificates.destroy()
  await server.close()
  account.clock.close()
  assert.deepEqual(account.troubles, [])
})

const control = { signal: AbortSignal.timeout(30_000) }
const day = 86_400_000
const span = { from: new Date(Date.now() - day), until: new Date(Date.now() + day) }

test('the certificate of an API is imported once a rack, and is told without its key', async () => {
  const clients = { clients: { certificates }, intervalMs: 5 }
  const arn = await ensureApiCertificate(clients, 'r1', control)
  assert.equal(await ensureApiCertificate(clients, 'r1', control), arn)
  assert.notEqual(await ensureApiCertificate(clients, 'r2', control), arn)
  const told = await certificates.getCertificate({ CertificateArn: arn })
  assert.match(told.Certificate!, /^-----BEGIN CERTIFICATE-----/)
  assert.deepEqual([told.CertificateChain, JSON.stringify(told).includes('PRIVATE')], [undefined, false])
  assert.equal(fake.shown.find(arn)!.names.join(), 'api.r1.internal')
  await renewApiCertificate(clients, { rack: 'r1', arn }, control)
  const renewed = await certificates.getCertificate({ CertificateArn: arn })
  assert.notEqual(renewed.Certificate, told.Certificate)
  assert.equal(fake.shown.find(arn)!.chain, told.Certificate, 'listeners show it later')
  assert.equal(await ensureApiCertificate(clients, 'r1', control), arn, 'it keeps its tags')
  // It was shown: ACM holds it in use for a while yet.
  await assert.rejects(certificates.deleteCertificate({ CertificateArn: arn }), {
    name: 'ResourceInUseException',
  })
  await removeApiCertificate(clients, 'r1', control)
  await removeApiCertificate(clients, 'r1', control)
  await assert.rejects(certificates.getCertificate({ CertificateArn: arn }), {
    name: 'ResourceNotFoundException',
  })
  const { CertificateSummaryList: usual } = await certificates.listCertificates({})
  assert.deepEqual(usual, [], 'one of another key than RSA is told to whoever asks for it')
})

test('what ACM would not take is refused: another key, one that is over', async () => {
  const { certificate, key } = await createSelfSigned({ names: ['api.r.internal'], ...span })
  const over = await createSelfSigned({
    names: ['api.r.internal'],
    from: new Date(Date.now() - 2 * day),
    until: span.from,
  })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const pairs: [string, string | Buffer][] = [
    [certificate, privateKey.export({ type: 'pkcs8', format: 'pem' })],
    [over.certificate, over.key],
    ['nothing', key],
  ]
  for (const [Certificate, PrivateKey] of pairs) {
    const input = { Certificate: Buffer.from(Certificate), PrivateKey: Buffer.from(PrivateKey) }
    await assert.rejects(certificates.importCertificate(input), /cannot be imported/)
  }
})
