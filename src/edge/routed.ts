import type { FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'

/** Connections that the rack's router has made for somebody, who has come to it by TLS. */
const routed = new WeakSet<Socket>()

export function markRouted(socket: Socket): void {
  routed.add(socket)
}

export function isRouted(socket: Socket): boolean {
  return routed.has(socket)
}

/** The address of who calls, by the router's word where it stands between; undefined for who came by the rack's socket. */
export function addressOf({ raw: { socket }, headers }: FastifyRequest): string | undefined {
  if (!isRouted(socket)) return socket.remoteAddress
  const told = headers['x-rack-client']
  // Without it nobody is near: who is not known shall not count as somebody of this machine.
  return typeof told === 'string' ? told : '0.0.0.0'
}
