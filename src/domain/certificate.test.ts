import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateFor, covers, type KeptCertificate } from './certificate.ts'

const at = new Date('2026-06-01T00:00:00Z')

function kept(id: string, names: string[], until = '2027-01-01T00:00:00.000Z'): KeptCertificate {
  const from = '2026-01-01T00:00:00.000Z'
  return {
    id,
    names,
    issuer: '',
    fingerprint: '',
    from,
    until,
    since: from,
    authority: null,
    chain: '',
    key: '',
  }
}

test('a wildcard is one name below, and nothing else', () => {
  const names = ['*.example.com', 'example.com']
  for (const host of ['example.com', 'a.example.com', '*.example.com']) assert.ok(covers(names, host), host)
  for (const host of ['a.b.example.com', 'example.org', 'com', '*.a.example.com'])
    assert.ok(!covers(names, host), host)
})

test('its very name is before a wildcard, the longest before others, and what does not hold is none', () => {
  const all = [
    kept('CWILD', ['*.example.com'], '2029-01-01T00:00:00.000Z'),
    kept('CSHORT', ['a.example.com']),
    kept('CLONG', ['a.example.com'], '2028-01-01T00:00:00.000Z'),
    kept('COVER', ['over.example.org'], '2026-05-01T00:00:00.000Z'),
    { ...kept('CLATER', ['later.example.org']), from: '2026-07-01T00:00:00.000Z' },
  ]
  const shown = (host: string) => certificateFor(host, all, at)?.id
  assert.deepEqual(['a.example.com', 'b.example.com'].map(shown), ['CLONG', 'CWILD'])
  assert.deepEqual(['over.example.org', 'later.example.org'].map(shown), [undefined, undefined])
})
