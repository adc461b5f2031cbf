import assert from 'node:assert/strict'
import type { FastifyRequest } from 'fastify'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { checkHost } from './guard.ts'
import { addressOf, markRouted } from './routed.ts'

function requestOn(socket: Socket, headers: Record<string, string>): FastifyRequest {
  return { raw: { socket }, headers } as unknown as FastifyRequest
}

test('by the router the rack is asked for by its own name, and who asks is whom the router says', () => {
  const [direct, routed] = [new Socket(), new Socket()]
  markRouted(routed)
  const own = 'rack.example.com'
  const answers = (socket: Socket, host: string) => {
    try {
      checkHost(requestOn(socket, { host }), own)
      return true
    } catch {
      return false
    }
  }
  const hosts = [own, `${own}:8443`, 'localhost', '127.0.0.1', 'other.example.com']
  assert.deepEqual(
    hosts.map((host) => answers(routed, host)),
    [true, true, false, false, false],
  )
  assert.deepEqual(
    hosts.map((host) => answers(direct, host)),
    [false, false, true, true, false],
  )
  const said = { 'x-rack-client': '192.0.2.7' }
  assert.equal(addressOf(requestOn(routed, said)), '192.0.2.7')
  assert.equal(addressOf(requestOn(direct, said)), undefined)
})
