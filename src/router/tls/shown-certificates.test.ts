import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import type { KeptCertificate } from '../../domain/certificate.ts'
import { createAuthority, issueCertificate } from '../../lib/x509/issue.ts'
import { webApp } from '../../../test/support/routers.ts'
import { createShownCertificates } from './shown-certificates.ts'

const day = 86_400_000
const start = Date.now()
const span = { from: new Date(start - day), until: new Date(start + 29 * day) }
const authority = await createAuthority({ name: 'Rack test', ...span })

const issue = async (name: string) => {
  const asked = { authority, names: [name], ...span, usages: ['server' as const] }
  const { certificate: chain, key } = await issueCertificate(asked)
  return { chain, key }
}

const challenges = { open: () => [] }

test('what is renewed is there beside the one of before, until no configuration names that', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'rack-shown-'))
  t.after(() => rm(directory, { recursive: true }))
  let now = new Date(start)
  const source = { kept: () => [], authorityId: async () => 'aa', issue }
  const certificates = createShownCertificates({ directory, source, challenges, now: () => now })
  const table = { apps: [] }
  const before = await certificates.write(table)
  // Two thirds of its life are over.
  now = new Date(start + 20 * day)
  const after = await certificates.write(table)
  const files = async () => (await readdir(`${directory}/certificates`)).sort()
  const both = [before, after].map(({ defaultPath }) => basename(defaultPath))
  assert.deepEqual(await files(), both.toSorted())
  await certificates.removeOthers(after)
  assert.deepEqual(await files(), [both[1]])
})

test('a certificate of many hosts is read once, and one file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'rack-shown-'))
  t.after(() => rm(directory, { recursive: true }))
  let readings = 0
  const pair = await issue('*.localhost')
  const times = { from: span.from.toISOString(), until: span.until.toISOString(), since: '' }
  const kept: KeptCertificate = {
    id: 'CAAAAAAAAAA',
    names: ['shop.localhost', '*.shop.localhost'],
    issuer: '',
    authority: null,
    fingerprint: '',
    ...times,
    key: pair.key,
    get chain() {
      readings++
      return pair.chain
    },
  }
  const source = { kept: () => [kept], authorityId: async () => 'aa', issue }
  const certificates = createShownCertificates({ directory, source, challenges, now: () => new Date(start) })
  const { files } = await certificates.write({ apps: [webApp('shop', [])] })
  assert.deepEqual([files.size, new Set(files.values()).size, readings], [2, 1, 1])
})
