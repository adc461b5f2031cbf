import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { describeEnd, nextEnds, readNextEnds, type CertificateEnd } from './certificate-ends.ts'

const now = Date.parse('2026-11-30T12:00:00Z')

function end(id: string, inDays: number, authority: string | null = null): CertificateEnd {
  const until = new Date(now + inDays * 86_400_000).toISOString()
  return { id, names: [`${id}.example.com`, `www.${id}.example.com`], until, authority }
}

test('told are those that end soon, the soonest first, or else the next one', () => {
  const ids = (...ends: CertificateEnd[]) => nextEnds(ends, now).map(({ id }) => id)
  assert.deepEqual(ids(end('a', 200), end('b', 90), end('c', 400)), ['b'])
  assert.deepEqual(ids(end('a', 20), end('b', 90), end('c', -1)), ['c', 'a'])
  assert.deepEqual(ids(end('a', 20, 'https://acme'), end('b', 90)), ['a'], 'the rack renews it in time')
  assert.deepEqual(ids(end('a', 6, 'https://acme'), end('b', 10), end('c', 90)), ['a', 'b'])
  assert.deepEqual(ids(), [])
})

test('an end is said with the time that is left and who renews it', () => {
  assert.equal(
    describeEnd(end('shop', 60, 'https://acme'), now),
    'shop.example.com and 1 more ends 2027-01-29 (in 60 d; the rack renews it)',
  )
  assert.equal(
    describeEnd({ ...end('shop', -1), names: ['shop.example.com'] }, now),
    'shop.example.com has expired on 2026-11-29 (renewed by hand)',
  )
})

test('a rack that does not tell is no failure', async () => {
  const refusing = (code: 'forbidden' | 'not-found' | 'unreachable') =>
    readNextEnds({
      listCertificates: async () => {
        throw new RackError(code, 'no')
      },
    })
  assert.equal(await refusing('forbidden'), null)
  assert.equal(await refusing('not-found'), null)
  await assert.rejects(refusing('unreachable'), { code: 'unreachable' })
})
