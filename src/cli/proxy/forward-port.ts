import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { LocalStream } from '../../client/run-connection.ts'
import { RackError } from '../../domain/error.ts'
import type { Forward } from './parse-forward.ts'

export interface Forwarding {
  /** Joins a connection here to the one that it leads to. */
  connect: (forward: Forward, local: LocalStream, signal: AbortSignal) => Promise<void>
  /** Ends every connection. */
  signal: AbortSignal
  slots: Slots
  /** Hears why a connection came to nothing; the proxy goes on. */
  onRefused: (forward: Forward, error: RackError) => void
  /** Hears that the rack is gone. */
  onLost: (error: unknown) => void
}

/** How many connections there may be at once, over all ports. */
export interface Slots {
  take(): boolean
  free(): void
}

const loopback = '127.0.0.1'

/** Counts up to a limit; `onFull` hears once each time that it is reached. */
export function createSlots(limit: number, onFull: () => void): Slots {
  let taken = 0
  let isTold = false
  return {
    take() {
      if (taken < limit) {
        taken++
        return true
      }
      if (!isTold) onFull()
      isTold = true
      return false
    },
    free() {
      taken--
      isTold = false
    },
  }
}

/**
 * Listens here until closed, and joins each connection to one inside the app.
 * @returns the server and the port it listens on
 * @throws port-taken
 */
export async function forwardPort(
  forwarding: Forwarding,
  forward: Forward,
): Promise<{ server: Server; port: number }> {
  // Half open: each direction ends by itself.
  const options = { allowHalfOpen: true, noDelay: true }
  const server = createServer(options, (socket) => void join(forwarding, forward, socket))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('listening', resolve).once('error', reject).listen(forward.localPort, loopback)
  try {
    await promise
  } catch (error) {
    throw cannotListen(forward, error)
  }
  return { server, port: (server.address() as AddressInfo).port }
}

async function join(forwarding: Forwarding, forward: Forward, socket: Socket): Promise<void> {
  const { connect, signal, slots, onRefused, onLost } = forwarding
  // Who reads or writes it sees the error there.
  socket.on('error', () => socket.destroy())
  if (!slots.take()) return void socket.resetAndDestroy()
  const leaving = new AbortController()
  const either = AbortSignal.any([signal, leaving.signal])
  socket.once('close', (hadError) => {
    if (hadError) leaving.abort(new RackError('cancelled', 'the connection is gone'))
  })
  try {
    await connect(forward, localStream(socket), either)
    socket.destroy()
  } catch (error) {
    // Reset, not closed: what breaks off must not look like an end.
    socket.resetAndDestroy()
    if (either.aborted || isLocal(error)) return
    // What a rack has said has the id of its request.
    if (error instanceof RackError && error.requestId !== undefined) onRefused(forward, error)
    else onLost(error)
  } finally {
    slots.free()
  }
}

/** A connection that the program at this end broke is its own affair. */
class LocalEndError extends Error {}

const isLocal = (error: unknown) => error instanceof LocalEndError

function localStream(socket: Socket): LocalStream {
  async function* input() {
    try {
      yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
    } catch (cause) {
      throw new LocalEndError('the program here broke the connection', { cause })
    }
  }
  return {
    input: input(),
    async output(chunk) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.write(chunk, (cause) =>
        cause ? reject(new LocalEndError('the program here is gone', { cause })) : resolve(),
      )
      await promise
    },
    end: () => void socket.end(),
  }
}

function cannotListen({ localPort, host, port }: Forward, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  const hint = `Name another: rack proxy ${localPort < 10_000 ? localPort + 10_000 : 0}:${host}:${port}`
  if (code === 'EADDRINUSE') {
    return new RackError('port-taken', `port ${localPort} of this machine is taken by another program`, {
      hint,
      cause,
    })
  }
  if (code === 'EACCES') {
    return new RackError('invalid', `this user may not listen on port ${localPort}`, { hint, cause })
  }
  return cause
}
