import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  followedOn,
  isOrderable,
  orderTime,
  quietTime,
  renewalOf,
  retryDelayMs,
  type CertificateOrder,
  type HostState,
} from './certificate-order.ts'
import type { Certificate } from './certificate.ts'

const dayMs = 86_400_000
const now = new Date('2026-06-01T00:00:00.000Z')
const inDays = (days: number) => new Date(now.getTime() + days * dayMs).toISOString()
const authority = { directory: 'https://ca.example.com/dir', email: null, ca: null }

function certificate(facts: Partial<Certificate> = {}): Certificate {
  return {
    id: 'CAAAAAAAAAA',
    names: ['shop.example.com'],
    issuer: 'X',
    fingerprint: '80:00:11',
    from: inDays(-30),
    until: inDays(60),
    since: inDays(-30),
    authority: authority.directory,
    ...facts,
  }
}

function order(facts: Partial<CertificateOrder> = {}): CertificateOrder {
  const { directory } = authority
  const next = inDays(0.2)
  return {
    name: 'shop.example.com',
    directory,
    url: null,
    challenge: null,
    failures: 1,
    next,
    failed: null,
    ...facts,
  }
}

function due(facts: Partial<HostState>): string | null {
  const [name, wanted] = ['shop.example.com', new Set(['shop.example.com', '*.example.com'])]
  const state = { name, certificate: null, order: null, wanted, authority, ...facts }
  return orderTime(state, now)?.toISOString() ?? null
}

test('it is renewed in the last third of its life, at a time of its own', () => {
  const times = ['00:00', '80:00', 'FF:FF'].map((fingerprint) => renewalOf(certificate({ fingerprint })))
  const days = times.map((time) => Math.round(((time.getTime() - now.getTime()) / dayMs) * 10) / 10)
  assert.deepEqual(days, [30, 33.8, 37.5])
})

test('it is tried again later each time, and not by all at once', () => {
  const minutes = [1, 2, 3, 8, 9, 5000].map((failures) => retryDelayMs(failures, 0.5) / 60_000)
  assert.deepEqual(minutes, [5, 10, 20, 640, 720, 720])
  assert.deepEqual([retryDelayMs(1, 0), retryDelayMs(1, 1)], [270_000, 330_000])
})

test('one is ordered where none does, where it is due, and where another authority is asked from now on', () => {
  const brought = { authority: null }
  const failed = { time: inDays(0), reason: '', hint: '', notBefore: null }
  const table: [string, Partial<HostState>, string | null][] = [
    ['none', {}, inDays(0)],
    ['of this authority', { certificate: certificate() }, renewalOf(certificate()).toISOString()],
    ['of a former authority', { certificate: certificate({ authority: 'https://x/' }) }, inDays(0)],
    ['brought', { certificate: certificate(brought) }, inDays(53)],
    ['a wildcard that is renewed itself', { certificate: certificate({ names: ['*.example.com'] }) }, null],
    ['one that was begun, or failed', { order: order({ failed }) }, inDays(0.2)],
    ['begun at a former authority', { order: order({ directory: 'https://x/' }) }, inDays(0)],
    ['brought after a failure', { order: order({ failed }), certificate: certificate(brought) }, null],
    ['by a clock that was ahead', { order: order({ next: inDays(900) }) }, inDays(0)],
    [
      'left alone for days',
      { order: order({ next: inDays(5), failed: { ...failed, notBefore: inDays(5) } }) },
      inDays(5),
    ],
    [
      'left alone for years, by a clock that was ahead',
      { order: order({ next: inDays(900), failed: { ...failed, notBefore: inDays(900) } }) },
      inDays(0),
    ],
  ]
  for (const [what, state, expected] of table) assert.equal(due(state), expected, what)
})

test('an authority wants to be left alone until it says; what a clock that was ahead has made of that is not believed', () => {
  const quiet = (notBefore: string | null) =>
    quietTime(order({ failed: { time: inDays(0), reason: '', hint: '', notBefore } }), now)?.toISOString() ??
    null
  assert.deepEqual(
    [-1, 1, 900].map((days) => quiet(inDays(days))),
    [null, inDays(1), null],
  )
  assert.deepEqual([quiet(null), quietTime(order(), now)], [null, null])
})

test('names that nobody has in public are asked of a private authority alone', () => {
  const ask = (name: string, ca: string | null = null) => isOrderable(name, { ca })
  assert.ok(ask('shop.example.com') && ask('*.example.com'))
  for (const name of ['shop.localhost', 'a.test', 'nas.local', 'db.internal', 'rack'])
    assert.ok(!ask(name), name)
  assert.ok(ask('db.internal', 'PEM') && !ask('shop.localhost', 'PEM'))
})

test('what a newer one follows on leaves, unless it is shown yet, was brought or has other names', () => {
  const newer = certificate({ id: 'CNNNNNNNNNN' })
  const all = [
    newer,
    certificate(),
    certificate({ id: 'CBBBBBBBBBB', authority: null }),
    certificate({ id: 'CCCCCCCCCCC', names: ['shop.example.com', 'blog.example.com'] }),
  ]
  assert.deepEqual(followedOn(newer, all, newer), [all[1]])
  assert.deepEqual(followedOn(newer, all, all[1]!), [], 'a clock that is behind')
})
