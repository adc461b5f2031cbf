import assert from 'node:assert/strict'
import type { FastifyRequest } from 'fastify'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { checkHost } from './guard.ts'
import { addressOf, markRouted } from './routed.ts'

function requestOn(socket: Socket, headers: Record<string, string>): FastifyRequest {
  return { raw: { socket }, headers } as unknown as FastifyRequest
}

const own = 'rack.example.com'

function answers(socket: Socket, host: string): boolean {
  try {
    checkHost(requestOn(socket, { host }), own)
    return true
  } catch {
    return false
  }
}

test('by the router the rack is asked for by its own name, and who asks is whom the router says', () => {
  const [direct, routed] = [new Socket(), new Socket()]
  markRouted(routed, 'router')
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

test('by a balancer who asks is whom it has seen itself, and it may look whether somebody is there', () => {
  const balanced = new Socket()
  markRouted(balanced, 'balancer')
  const hosts = [own, '10.0.0.7:8080', 'localhost', 'other.example.com']
  assert.deepEqual(
    hosts.map((host) => answers(balanced, host)),
    [true, true, false, false],
  )
  const from = (headers: Record<string, string>) => addressOf(requestOn(balanced, headers))
  assert.equal(from({ 'x-forwarded-for': '127.0.0.1, 192.0.2.7' }), '192.0.2.7')
  assert.equal(from({ 'x-forwarded-for': '2001:db8::1' }), '2001:db8::1')
  assert.equal(from({ 'x-rack-client': '127.0.0.1' }), '0.0.0.0')
  assert.equal(from({ 'x-forwarded-for': '192.0.2.7, localhost' }), '0.0.0.0')
})
