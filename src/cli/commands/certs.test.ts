import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exampleRack } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const certificate = {
  id: 'CABCDEFGHIJ',
  names: ['shop.example.com', '*.shop.example.com'],
  issuer: 'Some Authority',
  fingerprint: 'AA:BB',
  from: '2026-11-01T00:00:00.000Z',
  until: '2027-02-01T00:00:00.000Z',
  since: '2026-11-29T00:00:00.000Z',
  authority: null,
}
const authority = {
  certificate: '-----BEGIN CERTIFICATE-----\n',
  fingerprint: 'CC:DD',
  until: certificate.until,
}

const acme = {
  directory: 'https://ca.example.com/dir',
  email: null,
  hasCa: false,
  terms: null,
  orders: [
    {
      name: 'blog.example.com',
      status: 'failed' as const,
      failures: 2,
      next: certificate.until,
      failed: { time: certificate.since, reason: 'no address', hint: 'mend the DNS', notBefore: null },
    },
  ],
}

test('certificates are added from files, listed with the authority, and removed by a name', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-certs-'))
  const file = join(directory.path, 'shop.pem')
  await writeFile(file, 'the certificate')
  const given: unknown[] = []
  const domain = { app: 'shop', process: null, since: certificate.since }
  const domains = [{ ...domain, name: 'shop.example.com' }]
  const rack = {
    listCertificates: async () => [certificate],
    getCertificate: async () => certificate,
    addCertificate: async (pair: { certificate: string; key: string }) => {
      given.push(pair)
      return certificate
    },
    removeCertificate: async (id: string) => void given.push(id),
    getAuthority: async () => authority,
    getAcme: async () => acme,
    getRack: async () => exampleRack,
    listDomains: async () => domains,
  }
  const added = await typeCommand(['certs', 'add', file, '-'], { rack, input: [Buffer.from('the key')] })
  assert.deepEqual(
    [added.code, added.stdout, added.stderr],
    [0, 'CABCDEFGHIJ\n', 'shown for shop.example.com, *.shop.example.com until 2027-02-01\n'],
  )
  domains[0]!.name = 'www.example.com'
  const others = await typeCommand(['certs', 'add', file, '-'], { rack, input: [Buffer.from('the key')] })
  assert.match(
    others.stderr,
    /\nno app is reached by a name of it yet\n +rack domains add 'shop\.example\.com' --app APP\n$/,
  )
  given.pop()
  const listed = await typeCommand(['certs'], { rack })
  assert.match(
    listed.stdout,
    /^CABCDEFGHIJ +shop\.example\.com, \*\.shop\.example\.com +Some Authority +2027-02-01/m,
  )
  assert.match(listed.stderr, /own authority, SHA-256 CC:DD \(rack certs ca\)/)
  const ca = await typeCommand(['certs', 'ca'], { rack })
  assert.equal(ca.stdout, authority.certificate)
  const removed = await typeCommand(['certs', 'remove', 'shop.example.com', '--yes'], { rack })
  assert.equal(removed.code, 0)
  assert.deepEqual(given, [{ certificate: 'the certificate', key: 'the key' }, 'CABCDEFGHIJ'])
  const missing = await typeCommand(['certs', 'add', 'nowhere.pem', file], { rack })
  assert.deepEqual([missing.code, given.length], [2, 2])
  assert.match(missing.stderr, /nowhere\.pem cannot be read/)
})
