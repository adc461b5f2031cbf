import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Terminal } from '../../../domain/terminal.ts'
import { RackError } from '../../../domain/error.ts'
import { until } from '../../../lib/poll.ts'
import { collectTerminal } from '../../../../test/support/collect-terminal.ts'
import type { DockerClient } from '../client.ts'
import { resizeWith } from './resize.ts'

/** A Docker that refuses the first sizes, as it does until the process is there. */
function slowDocker(refusals: number) {
  const sizes: unknown[] = []
  let calls = 0
  const json = async ({ query }: { query: unknown }) => {
    if (calls++ < refusals) throw new RackError('engine-failed', 'the exec process is not started')
    sizes.push(query)
  }
  return { docker: { json } as unknown as DockerClient, sizes, calls: () => calls }
}

function start(refusals: number, signal = new AbortController().signal) {
  const slow = slowDocker(refusals)
  const listeners: ((size: { rows: number; columns: number }) => void)[] = []
  const onResize: Terminal['onResize'] = (listener) => void listeners.push(listener)
  const terminal: Terminal = { ...collectTerminal([], { tty: true }).terminal, onResize }
  resizeWith(slow.docker, '/exec/1/resize', terminal, { signal, report: () => undefined })
  return { ...slow, listeners }
}

test('the first size is set as soon as the process is there, later ones as they come', async () => {
  const { sizes, listeners } = start(2)
  await until(() => sizes.length === 1, { deadlineMs: 1000, what: 'the first size' })
  listeners[0]!({ rows: 40, columns: 100 })
  await until(() => sizes.length === 2, { deadlineMs: 1000, what: 'the second size' })
  assert.deepEqual(sizes, [
    { h: 24, w: 80 },
    { h: 40, w: 100 },
  ])
})

test('sizes arrive in the order in which they came, however long Docker takes for one', async () => {
  const sizes: unknown[] = []
  const waiting: (() => void)[] = []
  const json = async ({ query }: { query: unknown }) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    sizes.push(query)
  }
  const listeners: ((size: { rows: number; columns: number }) => void)[] = []
  const onResize: Terminal['onResize'] = (listener) => void listeners.push(listener)
  const terminal: Terminal = { ...collectTerminal([], { tty: true }).terminal, onResize }
  const control = { signal: new AbortController().signal, report: () => undefined }
  resizeWith({ json } as unknown as DockerClient, '/exec/1/resize', terminal, control)
  listeners[0]!({ rows: 20, columns: 101 })
  listeners[0]!({ rows: 20, columns: 77 })
  // Of those that wait the youngest is answered first.
  const answer = () => {
    waiting.pop()?.()
    return sizes.length === 3
  }
  await until(answer, { deadlineMs: 2000, intervalMs: 5, what: 'three sizes' })
  assert.deepEqual(sizes.at(-1), { h: 20, w: 77 })
})

test('a process that has ended at once is not asked for ever', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pass = async (intervals: number) => {
    for (let at = 0; at < intervals; at++) {
      t.mock.timers.tick(50)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const leaving = new AbortController()
  const { calls } = start(Number.POSITIVE_INFINITY, leaving.signal)
  await pass(4)
  assert.ok(calls() > 2)
  leaving.abort(new RackError('cancelled', 'the reader left'))
  const before = calls()
  await pass(10)
  assert.equal(calls(), before)
})
