import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { RackError } from '../../src/domain/error.ts'
import type { MemoryWorld } from './memory-engine.ts'

/** What a visitor from outside gets; null where a port is closed to them, or closes on them. */
export type Answer = { status: number; text: string } | null

/** Asks at a host name or at an external port. */
export type Visit = (door: string) => Promise<Answer>

/** A connection from outside that lasts until it is disposed of. */
export interface Held extends AsyncDisposable {
  /** Sends a text to a process that sends everything back. */
  says(words: string): Promise<string>
}

/** Connects to an external tcp port. */
export type Hold = (port: number) => Promise<Held>

const visitMs = 10_000

/** Asks over HTTP: a router at its http port by host name, any other port by its number. */
export function visitLocally(httpPort: number): Visit {
  return visitAt({ web: { host: '127.0.0.1', port: httpPort }, ports: '127.0.0.1' })
}

/** The same of what answers elsewhere: host names at one address, external ports at a host. */
export function visitAt({ web, ports }: { web: { host: string; port: number }; ports: string }): Visit {
  return async (door) => {
    const isPort = isExternalPort(door)
    const place = isPort ? { host: ports, port: Number(door) } : { ...web, headers: { host: door } }
    const signal = AbortSignal.timeout(visitMs)
    const asking = request({ ...place, agent: false, signal }).end()
    try {
      const [response] = (await once(asking, 'response', { signal })) as [IncomingMessage]
      return { status: response.statusCode ?? 0, text: (await text(response)).trim() }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (isPort && (code === 'ECONNREFUSED' || code === 'ECONNRESET')) return null
      throw error
    }
  }
}

/** What a router would answer for the in-memory engine, each process behind a door in turn. */
export function visitInMemory({ apps }: MemoryWorld): Visit {
  let turn = 0
  return async (door) => {
    const isPort = isExternalPort(door)
    const nobody = (status: number) => (isPort ? null : { status, text: 'the router' })
    for (const { routes, copies } of apps.values()) {
      const route = routes.get(door)
      if (!route) continue
      const id = route.processes[turn++ % route.processes.length]
      const listening = id === undefined ? undefined : copies.get(id)?.listening
      return listening?.get(route.port) ?? listening?.get(null) ?? nobody(503)
    }
    return nobody(404)
  }
}

const isExternalPort = (door: string) => /^\d+$/.test(door)

export const holdLocally: Hold = async (port) => await holdAt('127.0.0.1', port)

export async function holdAt(host: string, port: number): Promise<Held> {
  const socket = connect({ host, port })
  const signal = AbortSignal.timeout(visitMs)
  await once(socket, 'connect', { signal })
  return {
    async says(words) {
      const answer = once(socket, 'data', { signal: AbortSignal.timeout(visitMs) })
      socket.write(words)
      return String((await answer)[0])
    },
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    },
  }
}

export function holdInMemory({ apps }: MemoryWorld): Hold {
  return async (port) => {
    const app = [...apps.values()].find(({ routes }) => routes.has(String(port)))
    const copy = app?.copies.get(app.routes.get(String(port))?.processes[0] ?? '')
    if (!copy) throw new RackError('unreachable', `nothing listens at ${port}`)
    const { promise, resolve } = Promise.withResolvers<void>()
    copy.held.add(promise)
    return {
      async says(words) {
        if (copy.process.exitCode !== null)
          throw new RackError('unreachable', 'the process broke the connection')
        return words
      },
      async [Symbol.asyncDispose]() {
        copy.held.delete(promise)
        resolve()
      },
    }
  }
}
