import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createRecordQueue,
  errorOfRecord,
  readRecord,
  writeRecord,
  type BuildRecord,
} from './build-orders.ts'

const record = (at: number): BuildRecord => ({
  at,
  says: 'progress',
  progress: { type: 'log', text: String(at), time: '2026-01-01T00:00:00Z' },
})

test('records are given in their order, each once, whatever the log does', () => {
  const queue = createRecordQueue()
  const given = [[1], [0, 1], [3, 0], [2, 2], []].map((ats) =>
    queue.push(ats.map(record)).map(({ at }) => at),
  )
  assert.deepEqual(given, [[], [0, 1], [], [2, 3], []])
})

test('a failure is the same on both sides of the log, and other lines are none of ours', () => {
  const details = { processes: ['web'], step: 'RUN x', line: 2, exitCode: 1, tail: [] }
  const failed = {
    at: 0,
    says: 'failed',
    code: 'build-failed',
    message: 'web: no',
    hint: 'h',
    details,
  } as const
  const read = readRecord(writeRecord(failed))
  assert.deepEqual(read, failed)
  const { code, message, hint, details: told } = errorOfRecord(failed)
  assert.deepEqual(
    { code, message, hint, told },
    { code: 'build-failed', message: 'web: no', hint: 'h', told: details },
  )
  assert.equal(readRecord('[Container] 2026/01/01 Running command rack'), null)
})
