import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { loginOf } from '../../test/support/scripted-operations.ts'
import type { Door } from '../operations/door.ts'
import { createFailedLogins, isLocal } from './failed-logins.ts'
import { authorize } from './guard.ts'

function fail(logins: ReturnType<typeof createFailedLogins>, address: string, times: number, nowMs = 0) {
  for (let at = 0; at < times; at++) logins.failed(address, nowMs)
}

test('the first wrong tokens cost nothing, each one more doubles the wait, up to a quarter of an hour', () => {
  const logins = createFailedLogins()
  const waits = Array.from({ length: 20 }, () => {
    logins.failed('192.0.2.1', 0)
    return logins.waitMs('192.0.2.1', 0) / 1000
  })
  assert.deepEqual(waits.slice(0, 8), [0, 0, 0, 0, 1, 2, 4, 8])
  assert.deepEqual(waits.slice(-2), [900, 900])
  assert.equal(logins.waitMs('192.0.2.1', 60_000), 840_000)
  assert.equal(logins.waitMs('192.0.2.2', 0), 0, 'others need not wait')
})

test('what was long ago is forgiven', () => {
  const logins = createFailedLogins()
  fail(logins, '192.0.2.1', 10)
  fail(logins, '192.0.2.1', 4, 60 * 60_000)
  assert.equal(logins.waitMs('192.0.2.1', 60 * 60_000), 0)
})

test('all addresses that one customer gets are one', () => {
  const logins = createFailedLogins()
  for (let at = 0; at < 6; at++) logins.failed(`2001:db8:1:2::${at}`, 0)
  assert.equal(logins.waitMs('2001:db8:1:2:ffff::1', 0), 2000)
  assert.equal(logins.waitMs('2001:db8:1:3::1', 0), 0)
})

test('however many addresses try, so many are remembered: those that tried last', () => {
  const logins = createFailedLogins(100)
  fail(logins, '192.0.2.1', 6)
  for (let at = 0; at < 100; at++) fail(logins, `198.51.100.${at}`, 5)
  assert.equal(logins.waitMs('192.0.2.1', 0), 0)
  assert.equal(logins.waitMs('198.51.100.0', 0), 1000)
})

test('the socket and loopback are of this machine', () => {
  const addresses = [
    undefined,
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '::ffff:127.0.0.1',
    '192.0.2.1',
    '2001:db8::1',
  ]
  assert.deepEqual(addresses.map(isLocal), [true, true, true, true, true, false, false])
})

/** Tries a token as somebody who calls from an address. */
function knock(failedLogins: ReturnType<typeof createFailedLogins>, remoteAddress: string | undefined) {
  const asked: string[] = []
  const door = {
    authenticate: async (token: string) => {
      asked.push(token)
      return token === 'good' ? loginOf({ name: 'alice', role: 'read', apps: null }) : null
    },
  } as unknown as Door
  const raw = { socket: { remoteAddress } }
  const request = { raw, headers: {}, params: {} } as FastifyRequest
  const codeOf = async (token: string | null) => {
    const entering = authorize({ door, failedLogins }, 'callers', request, token)
    return await entering.then(
      (login) => login?.caller.name,
      (error: { code: string }) => error.code,
    )
  }
  return { codeOf, asked }
}

test('who tries many wrong tokens from elsewhere is not listened to for a while, whatever is shown', async () => {
  const { codeOf, asked } = knock(createFailedLogins(), '192.0.2.1')
  assert.equal(await codeOf('good'), 'alice')
  for (let at = 0; at < 5; at++) assert.equal(await codeOf('wrong'), 'unauthorized')
  assert.deepEqual([await codeOf('wrong'), await codeOf('good')], ['too-many-logins', 'too-many-logins'])
  assert.equal(asked.length, 6, 'nobody looks at what they bring meanwhile')
  assert.equal(await codeOf(null), 'unauthorized', 'to ask without a token is no try')
})

test('on the machine itself a good token is let in, however many wrong ones others have tried', async () => {
  for (const address of [undefined, '127.0.0.1']) {
    const { codeOf } = knock(createFailedLogins(), address)
    for (let at = 0; at < 5; at++) assert.equal(await codeOf('wrong'), 'unauthorized')
    assert.deepEqual([await codeOf('wrong'), await codeOf('good')], ['too-many-logins', 'alice'])
  }
})
