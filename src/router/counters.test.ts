import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  answerTimes,
  copyTraffic,
  countersSince,
  createCounterLedger,
  type CounterState,
} from './counters.ts'
import type { Statistics } from './runtime-api.ts'

function row(server: string | null, requests: number, part: Partial<Statistics> = {}): Statistics {
  const none = {
    serverErrors: 0,
    connectErrors: 0,
    responseErrors: 0,
    serverAborts: 0,
    busy: 0,
    refused: 0,
    longestMs: 0,
    answerMs: 0,
  }
  return { backend: 'shop.http.3000.web', server, mode: 'http', requests, ...none, ...part }
}

const reading = (worker: string, ...rows: Statistics[]) => new Map([[worker, rows]])

test('counts go on when servers leave, workers are replaced, and the ledger is made anew', () => {
  const ledger = createCounterLedger()
  ledger.record(reading('1:1', row('P1.R1', 10), row(null, 10)))
  ledger.record(reading('1:1', row('P1.R1', 15), row('P2.R2', 5), row(null, 20)))
  ledger.record(reading('1:1', row('P2.R2', 7), row(null, 22)))
  const again = createCounterLedger(structuredClone(ledger.state()))
  again.record(reading('2:2', row('P2.R2', 3), row(null, 3)))
  again.record(reading('2:2', row('P2.R2', 3), row(null, 3)))
  const releases = { R1: { requests: 15, failed: 0 }, R2: { requests: 10, failed: 0 } }
  assert.deepEqual(again.read('shop'), { requests: 25, failed: 0, held: 0, releases })
  assert.deepEqual(again.read('blog'), { requests: 0, failed: 0, held: 0, releases: {} })
})

test('how fast a release answers is a mean of its copies, each by what it has answered', () => {
  const rows = [
    row('P1.R1', 30, { answerMs: 10 }),
    row('P2.R1', 10, { answerMs: 50 }),
    row('P3.R2', 0, { answerMs: 0 }),
    row('P4.R2', 4, { answerMs: 7, mode: 'tcp' }),
    row(null, 40, { answerMs: 900 }),
  ]
  assert.deepEqual(answerTimes(rows, 'shop'), { R1: 20 })
  assert.deepEqual(answerTimes(rows, 'blog'), {})
})

test('a server of the same name that starts anew is added', () => {
  const ledger = createCounterLedger()
  ledger.record(reading('1:1', row('P1.R1', 10)))
  ledger.record(reading('1:1', row('P1.R1', 4)))
  assert.equal(ledger.read('shop').releases['R1']?.requests, 14)
})

test('failures: what clients saw in the sum, what a copy did by release', () => {
  const ledger = createCounterLedger()
  const copy = row('P1.R1', 10, { serverErrors: 1, responseErrors: 2 })
  ledger.record(reading('1:1', copy, row(null, 12, { serverErrors: 5, responseErrors: 2 })))
  const before = createCounterLedger().read('shop')
  assert.deepEqual(countersSince(before, ledger.read('shop')), {
    requests: 12,
    failed: 5,
    held: 0,
    releases: { R1: { requests: 12, failed: 3 } },
  })
  ledger.drop('shop')
  assert.equal(ledger.read('shop').requests, 0)
})

test('an app that loses its last route meanwhile has served no fewer than none', () => {
  const ledger = createCounterLedger()
  ledger.record(reading('1:1', row('P1.R1', 10, { serverErrors: 1 }), row(null, 10, { serverErrors: 1 })))
  const before = ledger.read('shop')
  ledger.drop('shop')
  assert.deepEqual(countersSince(before, ledger.read('shop')), {
    requests: 0,
    failed: 0,
    held: 0,
    releases: {},
  })
})

test('what waits is counted once, by the worker that it was handed to', () => {
  const ledger = createCounterLedger()
  const replaced = [row('handover', 2), row(null, 2)]
  ledger.record(
    new Map([
      ['1:1', replaced],
      ['2:2', [row('P1.R1', 3), row(null, 3, { held: 3 })]],
    ]),
  )
  const { requests, failed, held } = ledger.read('shop')
  assert.deepEqual({ requests, failed, held }, { requests: 3, failed: 0, held: 3 })
  const older = { ...ledger.state(), settled: { shop: { requests: 1, failed: 0, releases: {} } } }
  assert.equal(createCounterLedger(older as unknown as CounterState).read('shop').held, 3)
})

test('what a copy was given is the sum of its lines, and how fast it answers a mean of them', () => {
  const rows = [
    row('P1.R1', 30, { answerMs: 10, serverErrors: 2 }),
    row('P1.R1', 10, { answerMs: 50, backend: 'shop.http.8080.web' }),
    row('P2.R1', 4, { mode: 'tcp', connectErrors: 1, answerMs: 7 }),
    row('P3.R1', 5, { backend: 'blog.http.3000.web' }),
    row('P4.R1', 0),
    row(null, 40),
  ]
  assert.deepEqual(copyTraffic(rows, 'shop'), {
    P1: { requests: 40, failed: 2, answerMs: 20 },
    P2: { requests: 4, failed: 1, answerMs: null },
    P4: { requests: 0, failed: 0, answerMs: null },
  })
})
