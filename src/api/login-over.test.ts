import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import type { Control } from '../domain/control.ts'
import type { Terminal } from '../domain/terminal.ts'
import { until } from '../lib/poll.ts'
import { createDoor } from '../operations/door.ts'
import type { Operations } from '../operations/operations.ts'
import { serveDoor } from '../../test/support/scripted-operations.ts'

const revoked = { code: 'unauthorized', message: 'the token "ci" was revoked' }
const inApp = { params: { app: 'guestbook' } }

/** A rack whose one token is revoked as soon as a verb has been called with it. */
async function serve(script: Partial<Operations>) {
  const listeners = new Set<(reason: RackError) => void>()
  const revoke = () => {
    for (const hear of listeners) hear(new RackError('unauthorized', revoked.message))
  }
  const door = createDoor({
    authenticate: async () => ({
      caller: { name: 'ci', role: 'admin', apps: null },
      whenOver(hear) {
        listeners.add(hear)
        return { [Symbol.dispose]: () => void listeners.delete(hear) }
      },
    }),
    verbsFor: () => script as Operations,
    audit: { tell: (_note, call) => call(), refused: async () => undefined },
  })
  return { ...(await serveDoor(door)), revoke, listeners }
}

/** As a verb waits that does what it was asked until its caller leaves. */
async function untilLeft({ signal }: Pick<Control, 'signal'>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason as Error))
  return await promise
}

const never = () => new Promise<never>(() => undefined)

const terminal: Terminal = {
  tty: false,
  rows: 24,
  columns: 80,
  input: (async function* () {
    yield await never()
  })(),
  output: async () => undefined,
  onResize: () => undefined,
}

test('a reply that is waited for is refused', async () => {
  await using rack = await serve({
    async getCapacity(control) {
      setImmediate(rack.revoke)
      return await untilLeft(control)
    },
  })
  await assert.rejects(rack.client.getCapacity(), revoked)
  await until(() => rack.listeners.size === 0, { deadlineMs: 20_000, what: 'nobody to listen any more' })
})

test('a stream of lines ends with why', async () => {
  await using rack = await serve({
    async *appLogs(_app, _query, control) {
      setImmediate(rack.revoke)
      yield await untilLeft(control)
    },
  })
  await assert.rejects(Array.fromAsync(rack.client.appLogs({ ...inApp, query: { follow: 'true' } })), revoked)
})

test('a stream of progress ends with why', async () => {
  const params = { app: 'guestbook', release: 'RAAAAAAAAAA' }
  await using rack = await serve({
    async promoteRelease(_app, _release, _options, control) {
      control.report({ type: 'log', text: 'begun', time: '2026-11-23T04:00:00.000Z' })
      setImmediate(rack.revoke)
      return await untilLeft(control)
    },
  })
  await assert.rejects(Array.fromAsync(rack.client.promoteRelease({ params })), revoked)
})

test('an upload ends with why', async () => {
  async function* content() {
    yield Buffer.alloc(1024)
    await never()
  }
  await using rack = await serve({
    async buildApp(_app, upload, control) {
      for await (const _chunk of upload.content) setImmediate(rack.revoke)
      return await untilLeft(control)
    },
  })
  const building = Array.fromAsync(rack.client.buildApp({ ...inApp, query: {}, content: content() }))
  // Its answer may be lost where much is on its way: then it is gone, and was not taken.
  await assert.rejects(building, ({ code }: RackError) => ['unauthorized', 'unreachable'].includes(code))
})

test('a terminal ends with why', async () => {
  const params = { app: 'guestbook', process: 'PAAAAAAAAAA' }
  await using rack = await serve({
    async execProcess(_app, _exec, _terminal, control) {
      setImmediate(rack.revoke)
      return await untilLeft(control)
    },
  })
  const asked = rack.client.execProcess({ params, query: { command: ['sh'] } }, terminal)
  await assert.rejects(asked, revoked)
  await until(() => rack.listeners.size === 0, { deadlineMs: 20_000, what: 'nobody to listen any more' })
})

test('a connection into an app ends with why, and what is inside is let go', async () => {
  const closed = Promise.withResolvers<void>()
  const inside = {
    input: async () => undefined,
    end: () => undefined,
    output: (async function* () {
      yield await never()
    })(),
    close: () => closed.resolve(),
  }
  await using rack = await serve({
    async connectInside() {
      setImmediate(() => setImmediate(rack.revoke))
      return inside
    },
  })
  const local = { input: terminal.input!, output: async () => undefined, end: () => undefined }
  const query = { host: 'web', port: 80 }
  await assert.rejects(rack.client.connectInside({ ...inApp, query }, local), revoked)
  await closed.promise
})

test('what does not hear of it is closed', async () => {
  await using rack = await serve({
    async getCapacity() {
      setImmediate(rack.revoke)
      return await never()
    },
    async execProcess() {
      setImmediate(rack.revoke)
      return await never()
    },
  })
  await assert.rejects(rack.client.getCapacity(), { code: 'unreachable' })
  const params = { app: 'guestbook', process: 'PAAAAAAAAAA' }
  const asked = rack.client.execProcess({ params, query: { command: ['sh'] } }, terminal)
  await assert.rejects(asked, { code: 'unreachable' })
})

test('a call that has ended hears nothing, and leaves nobody who would', async () => {
  await using rack = await serve({ listApps: async () => [] })
  for (let at = 0; at < 20; at++) assert.deepEqual(await rack.client.listApps(), [])
  rack.revoke()
  assert.deepEqual(await rack.client.listApps(), [])
})
