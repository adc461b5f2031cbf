import type { Server, Socket } from 'node:net'
import { frontOf } from './routed.ts'

/** How many connections are taken at once, over the rack's socket and by TCP, and how long they may say nothing. */
export interface ConnectionLimits {
  socket: number
  tcp: number
  /** Of the latter, for one source. All of loopback is one: whoever is on this machine has every address of it. */
  tcpOfOneSource: number
  /** Within which a connection must say what it wants, and how long it may stay after an answer. */
  headMs: number
  idleMs: number
}

/** What supervision, the router, the engine and the store need open, at the most. */
const reservedFiles = 256
/** A connection into an app has a second one behind it; the rest is room for what was just let go. */
const filesOfOne = 3
const mostOfAll = 1280

/**
 * Shares out the files that a process may have open, so that callers never have those by which it keeps the rack going.
 * Those who come by TCP, where anybody of the machine may, have a part of their own: they cannot take the socket's. A source
 * has room for a `rack proxy` (200 connections) beside what else its user does.
 */
export function limitConnections(openFiles: number): ConnectionLimits {
  const all = Math.min(mostOfAll, Math.max(20, Math.floor((openFiles - reservedFiles) / filesOfOne)))
  const tcp = Math.floor((all * 2) / 5)
  return { socket: all - tcp, tcp, tcpOfOneSource: Math.ceil(tcp / 2), headMs: 10_000, idleMs: 20_000 }
}

/** Closes connections beyond the limits as they come, before anything is read of them. */
export function guardConnections(server: Server, limits: ConnectionLimits): void {
  const open = new Map<string, number>()
  const count = (place: string, by: number) => {
    const now = (open.get(place) ?? 0) + by
    if (now === 0) open.delete(place)
    else open.set(place, now)
  }
  // First of all listeners: the one that reads finds it closed.
  server.prependListener('connection', (socket: Socket) => {
    const places = placesOf(socket, limits)
    if (places.some(([place, most]) => (open.get(place) ?? 0) >= most)) return void socket.destroy()
    for (const [place] of places) count(place, 1)
    socket.once('close', () => {
      for (const [place] of places) count(place, -1)
    })
  })
}

/** By what a connection is counted, and how many of each there may be. */
function placesOf(socket: Socket, limits: ConnectionLimits): [string, number][] {
  const { remoteAddress } = socket
  // Of those who come by what stands in front all have its address, and none takes anything from the rack's own socket.
  if (frontOf(socket) !== null) return [['tcp', limits.tcp]]
  if (remoteAddress === undefined) return [['socket', limits.socket]]
  return [
    ['tcp', limits.tcp],
    [`tcp ${sourceOf(remoteAddress)}`, limits.tcpOfOneSource],
  ]
}

/** What counts as one: an address, all of loopback, a network of IPv6. */
export function sourceOf(address: string): string {
  const plain = address.replace(/^::ffff:/, '')
  if (plain === '::1' || plain.startsWith('127.')) return 'loopback'
  // Of IPv6 whoever has one address has the sixty-four bits behind it.
  return plain.includes(':') ? plain.split(':', 4).join(':') : plain
}
