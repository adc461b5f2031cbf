import type { FastifyRequest } from 'fastify'
import { isIP, type Socket } from 'node:net'

/** What alone connects at an address, for somebody who has come to it by TLS: the rack's router, or an account's balancer. */
export type Front = 'router' | 'balancer'

const fronts = new WeakMap<Socket, Front>()

export function markRouted(socket: Socket, front: Front): void {
  fronts.set(socket, front)
}

/** Through what a connection has come; null for one that nothing stands in front of. */
export function frontOf(socket: Socket): Front | null {
  return fronts.get(socket) ?? null
}

/** The address of who calls, by the word of what stands between; undefined for who came by the rack's socket. */
export function addressOf({ raw: { socket }, headers }: FastifyRequest): string | undefined {
  const front = frontOf(socket)
  if (front === null) return socket.remoteAddress
  const told = front === 'router' ? headers['x-rack-client'] : lastOf(headers['x-forwarded-for'])
  // Without it nobody is near: who is not known shall not count as somebody of this machine.
  return typeof told === 'string' && isIP(told) !== 0 ? told : '0.0.0.0'
}

/** A balancer adds whom it has seen behind what it was told, which anybody could have said. */
function lastOf(header: string | string[] | undefined): string | undefined {
  return [header].flat().join(',').split(',').at(-1)?.trim()
}
