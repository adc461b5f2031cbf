import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { StreamLine } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { startFollowing } from './follow.ts'
import { createOutput } from './output/output.ts'
import type { Session } from './session.ts'

const log = { type: 'log', text: 'working', time: '2026-11-23T10:00:00Z' } as const

function makeSession(isJson = false) {
  const chunks: string[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  const out = stream as unknown as NodeJS.WriteStream
  const listeners = new Set<() => void>()
  const world = {
    onInterrupt(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const output = createOutput({ stdout: out, stderr: out, env: {} })
  const session = { world, output, isJson, beginStream: () => undefined } as unknown as Session
  const interrupt = () => listeners.forEach((listener) => listener())
  return { session, interrupt, listeners, text: () => chunks.join('') }
}

/** A stream that the test feeds. */
function makeStream() {
  const gate = Promise.withResolvers<StreamLine<string>>()
  const lines = async function* (): AsyncGenerator<StreamLine<string>> {
    yield log
    yield await gate.promise
  }
  return { lines: lines(), end: gate.resolve, fail: gate.reject }
}

const noCancel = { what: 'the work', call: null }

test('progress is shown, and the result handed over', async () => {
  const { session, text, listeners } = makeSession()
  using following = await startFollowing(session)
  const stream = makeStream()
  stream.end({ type: 'result', result: 'R1' })
  assert.equal(await following.follow(stream.lines, noCancel), 'R1')
  assert.equal(text(), 'working\n')
  assert.equal(listeners.size, 0)
})

test('as NDJSON every line is a record, and a note is none', async () => {
  const { session, text } = makeSession(true)
  using following = await startFollowing(session)
  const stream = makeStream()
  stream.end({ type: 'result', result: 'R1' })
  following.note('for people')
  following.result(await following.follow(stream.lines, noCancel))
  assert.deepEqual(
    text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [log, { type: 'result', result: 'R1' }],
  )
})

test('an interrupt cancels once and waits for what the operation says', async () => {
  const { session, interrupt, text } = makeSession()
  using following = await startFollowing(session)
  const stream = makeStream()
  let calls = 0
  const call = async () => {
    calls += 1
    stream.fail(new RackError('cancelled', 'the operation was cancelled'))
  }
  const followed = following.follow(stream.lines, { what: 'the promote', call })
  setImmediate(interrupt)
  await assert.rejects(followed, { code: 'cancelled', message: 'the operation was cancelled' })
  assert.equal(calls, 1)
  assert.match(text(), /cancelling the promote/)
})

test('a second interrupt leaves at once, whatever the rack does', async () => {
  const { session, interrupt } = makeSession()
  using following = await startFollowing(session)
  const never = new Promise<never>(() => undefined)
  const followed = following.follow(makeStream().lines, { what: 'the promote', call: () => never })
  setImmediate(() => {
    interrupt()
    interrupt()
  })
  await assert.rejects(followed, { code: 'cancelled', message: /the promote goes on/ })
})

test('an interrupt of what cannot be cancelled leaves', async () => {
  const { session, interrupt } = makeSession()
  using following = await startFollowing(session)
  const followed = following.follow(makeStream().lines, noCancel)
  setImmediate(interrupt)
  await assert.rejects(followed, { code: 'cancelled', message: /the work goes on/ })
})

test('a cancel that comes too late leaves the end to the operation', async () => {
  const { session, interrupt } = makeSession()
  using following = await startFollowing(session)
  const stream = makeStream()
  const call = async () => {
    setImmediate(() => stream.end({ type: 'result', result: 'R1' }))
    throw new RackError('conflict', 'nothing is changing now')
  }
  const followed = following.follow(stream.lines, { what: 'the promote', call })
  setImmediate(interrupt)
  assert.equal(await followed, 'R1')
})

test('a cancel that fails says so', async () => {
  const { session, interrupt } = makeSession()
  using following = await startFollowing(session)
  const call = async () => {
    throw new RackError('unreachable', 'the rack went away')
  }
  const followed = following.follow(makeStream().lines, { what: 'the promote', call })
  setImmediate(interrupt)
  await assert.rejects(followed, { code: 'unreachable' })
})

test('an interrupt that comes too late says so, and what to type', async () => {
  const { session, interrupt, text } = makeSession()
  using following = await startFollowing(session)
  const stream = makeStream()
  const call = async () => {
    stream.end({ type: 'result', result: 'R1' })
    throw new RackError('conflict', 'nothing of shop is changing now')
  }
  const cancel = { what: 'the promote', call, instead: 'rack releases rollback --app shop' }
  const followed = following.follow(stream.lines, cancel)
  setImmediate(interrupt)
  assert.equal(await followed, 'R1')
  const told = /too late to cancel the promote: it is done; go back with: rack releases rollback --app shop/
  assert.match(text(), told)
})
