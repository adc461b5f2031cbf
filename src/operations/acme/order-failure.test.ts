import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { AcmeProblem, problemOf, readRetryAfter } from '../../lib/acme/acme-problem.ts'
import { failureOf } from './order-failure.ts'

const now = new Date('2026-06-01T00:00:00.000Z')
const document = (type: string, detail = 'as it is') => ({
  type: `urn:ietf:params:acme:error:${type}`,
  detail,
})
const told = (error: unknown) => failureOf(error, 'shop.example.com', now)

test('what an authority refuses is told in words of the rack, with what to do', () => {
  const table: [AcmeProblem, RegExp, RegExp][] = [
    [
      problemOf(document('connection')),
      /does not reach shop\.example\.com: as it is/,
      /Port 80.*rack certs renew/,
    ],
    [problemOf(document('dns')), /finds no address/, /Let the DNS lead/],
    [problemOf(document('caa')), /the DNS forbids/, /CAA/],
    [problemOf(document('rejectedIdentifier')), /signs for no shop/, /rack certs add/],
    [problemOf(document('externalAccountRequired')), /accounts alone/, /letsencrypt/],
    [problemOf(document('unsupportedContact')), /email/, /--email/],
    [problemOf(document('somethingNew')), /refuses: as it is/, /renew/],
    [problemOf(null, { status: 503 }), /does not answer: it answered 503/, /again by itself/],
  ]
  for (const [problem, reason, hint] of table) {
    assert.match(told(problem).reason, reason)
    assert.match(told(problem).hint, hint)
  }
  const cause = Object.assign(new Error('x'), { code: 'CERT_NOT_YET_VALID' })
  assert.match(told(new AcmeProblem('x', { isUnreached: true, cause })).hint, /clock/)
  assert.deepEqual(told(new RackError('host-failed', 'the hook', { hint: 'try it' })), {
    time: now.toISOString(),
    reason: 'the hook',
    hint: 'try it',
    notBefore: null,
  })
})

test('what it says is one line, bounded, and no text can steer a terminal', () => {
  const { message } = problemOf(document('dns', `a\n\u001b[31mb${'c'.repeat(2000)}`))
  assert.match(message, /^a \[31mbc+$/)
  assert.equal(message.length, 500)
})

test('a long limit is that of a name; one that is soon over, and an authority that is away, is one of all', () => {
  const limit = (status: number, minutes: number) =>
    problemOf(document('rateLimited'), { status, notBefore: new Date(now.getTime() + minutes * 60_000) })
  assert.ok(!limit(429, 60).isOfAll(now))
  assert.ok(limit(429, 1).isOfAll(now))
  assert.ok(limit(503, 60).isOfAll(now))
  assert.ok(!problemOf(document('rateLimited'), { status: 429 }).isOfAll(now))
})

test('what passes is gone on with, what was refused is not; a wait is seconds or a date, for a week at most', () => {
  assert.ok(problemOf(document('rateLimited'), { status: 429 }).isPassing)
  assert.ok(problemOf(null, { status: 500 }).isPassing)
  assert.ok(new AcmeProblem('away', { isUnreached: true }).isPassing)
  for (const problem of [
    problemOf(document('serverInternal')),
    problemOf(document('malformed'), { status: 404 }),
  ])
    assert.ok(!problem.isPassing, problem.type!)
  const wait = (header: string | undefined) => readRetryAfter(header, now)?.toISOString() ?? null
  assert.equal(wait('60'), '2026-06-01T00:01:00.000Z')
  assert.equal(wait('Mon, 01 Jun 2026 01:00:00 GMT'), '2026-06-01T01:00:00.000Z')
  assert.equal(wait('99999999'), '2026-06-08T00:00:00.000Z')
  for (const header of [undefined, 'soon', '0', 'Mon, 01 Jun 2020 01:00:00 GMT'])
    assert.equal(wait(header), null)
})
