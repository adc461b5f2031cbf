import type { RouterShares } from '../domain/router-load.ts'

/** How long what makes no progress may last. */
export interface RouterPatience {
  /** A client that takes none of its answer. */
  clientMs: number
  /** A request that waits for a copy that has room. */
  queueMs: number
  /** A client that was told of the end, and has not closed. */
  endedClientMs: number
  /** A copy that says nothing to a client that has closed its half: of a websocket, since an answer is waited for. */
  endedCopyMs: number
}

export const usualPatience: RouterPatience = {
  clientMs: 60_000,
  queueMs: 10_000,
  endedClientMs: 30_000,
  endedCopyMs: 2000,
}

const mostConnections = 20_000
/** With fewer, what is kept for the small ones would be none. */
export const leastConnections = 64
const filesBesides = 300
/** One to the client, one to the copy, and every second connection half a pipe. */
const filesPerConnection = 2.6

/** @param connections what the router holds in all */
export function sharesOf(connections: number): RouterShares {
  const part = (share: number) => Math.max(1, Math.floor(connections * share))
  return {
    connections,
    app: part(1 / 2),
    copy: part(3 / 8),
    source: part(1 / 4),
    sourceAtApp: part(1 / 8),
    crowded: part(3 / 4),
    smallApp: part(1 / 32),
    smallSource: part(1 / 64),
  }
}

/** How many connections a program can hold that may have so many files open. */
export function connectionsFor(openFiles: number): number {
  const possible = Math.floor((openFiles - filesBesides) / filesPerConnection)
  return Math.min(mostConnections, Math.max(leastConnections, possible))
}
