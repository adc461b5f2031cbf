import { connect, type Socket } from 'node:net'
import type { Control } from '../../domain/control.ts'
import type { Duplex } from '../../domain/engine.ts'
import { RackError } from '../../domain/error.ts'
import { appHint, type Owner } from '../../domain/owner.ts'
import { abortable, startDeadline } from '../../lib/deadline.ts'

const connectDeadlineMs = 10_000

/** Of a process, as its owner's own processes call it. */
export interface InsideAddress {
  owner: Owner
  host: string
  port: number
}

/** Opens a connection to the first of several addresses that takes one. @throws unreachable where none does */
export async function connectToAny(
  addresses: string[],
  inside: InsideAddress,
  control: Control,
): Promise<Duplex> {
  let failure: unknown
  for (const address of addresses) {
    try {
      return duplexOf(await open(address, inside, control))
    } catch (error) {
      control.signal.throwIfAborted()
      failure = error
    }
  }
  const { owner, host, port } = inside
  throw new RackError('unreachable', `nothing listens at ${host}:${port} of ${owner.name}`, {
    ...appHint(owner, 'See what runs: rack ps'),
    cause: failure,
  })
}

async function open(host: string, inside: InsideAddress, { signal }: Control): Promise<Socket> {
  // Half open: the end of what comes from there is not the end of what goes there.
  const socket = connect({ host, port: inside.port, allowHalfOpen: true, noDelay: true })
  using deadline = startDeadline({
    deadlineMs: connectDeadlineMs,
    what: `${inside.host}:${inside.port}`,
    signal,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  // Stays for the life of the connection: who reads or writes it sees the error there.
  socket.on('error', reject)
  try {
    await abortable(promise, deadline.signal)
    resetAtEnd(socket, signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Reset, not closed: what breaks off must not look like an end. */
function resetAtEnd(socket: Socket, signal: AbortSignal): void {
  const reset = () => void socket.resetAndDestroy()
  if (signal.aborted) reset()
  signal.addEventListener('abort', reset, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', reset))
}

function duplexOf(socket: Socket): Duplex {
  return {
    input: (chunk) => write(socket, chunk),
    end: () => void socket.end(),
    output: outputOf(socket),
    close: () => void (socket.destroyed || socket.resetAndDestroy()),
  }
}

async function write(socket: Socket, chunk: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // Also called when the connection breaks before.
  socket.write(chunk, (error) => (error ? reject(broken(error)) : resolve()))
  await promise
}

async function* outputOf(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    // The end of this direction leaves the other one open.
    yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw broken(error)
  }
}

function broken(cause: unknown): RackError {
  return new RackError('unreachable', 'the process broke the connection', { cause })
}
