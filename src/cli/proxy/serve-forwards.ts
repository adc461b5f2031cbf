import type { Server } from 'node:net'
import type { LocalStream } from '../../client/run-connection.ts'
import { RackError } from '../../domain/error.ts'
import type { Session } from '../session.ts'
import { createSlots, forwardPort, type Forwarding } from './forward-port.ts'
import type { Forward } from './parse-forward.ts'

export const mostConnections = 200

/** Where forwards lead. */
export interface FarSide {
  /** Rejects where something cannot be led to, before anything listens. */
  ready: (signal: AbortSignal) => Promise<void>
  connect: (forward: Forward, local: LocalStream, signal: AbortSignal) => Promise<void>
  /** For records, and for people. */
  nameOf: (forward: Forward) => { facts: Record<string, unknown>; text: string }
}

/** Listens on ports of this machine until the person interrupts. @throws port-taken; what `ready` rejects with */
export async function serveForwards(
  { world, output, isJson, beginStream }: Session,
  forwards: Forward[],
  far: FarSide,
): Promise<void> {
  const ending = new AbortController()
  const end = Promise.withResolvers<{ failure: unknown } | null>()
  const say = createTeller(output.say)
  const forwarding: Forwarding = {
    connect: far.connect,
    signal: ending.signal,
    slots: createSlots(mostConnections, () =>
      output.say(`${mostConnections} connections are open: more are refused until one ends`),
    ),
    onRefused: ({ host, port }, { message }) => say(`${host}:${port}: ${message}`),
    onLost: (error) => end.resolve({ failure: error }),
  }
  const stop = world.onInterrupt(() => end.resolve(null))
  const servers: Server[] = []
  try {
    await far.ready(ending.signal)
    beginStream()
    for (const forward of forwards) {
      const { server, port } = await forwardPort(forwarding, forward)
      servers.push(server)
      const { facts, text } = far.nameOf(forward)
      const local = `127.0.0.1:${port}`
      if (isJson) output.record({ type: 'listening', local, ...facts })
      else output.say(`${local} → ${text}`)
    }
    const ended = await end.promise
    if (ended) throw ended.failure
  } finally {
    stop()
    for (const server of servers) server.close()
    ending.abort(new RackError('cancelled', 'the proxy has ended'))
  }
}

/** The same thing is said once in a while, not for each of many connections. */
function createTeller(say: (text: string) => void): (text: string) => void {
  const quietMs = 1000
  const saidAt = new Map<string, number>()
  return (text) => {
    const now = performance.now()
    if (now - (saidAt.get(text) ?? -quietMs) < quietMs) return
    saidAt.set(text, now)
    say(text)
  }
}
