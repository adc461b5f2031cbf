import { connect, type Socket } from 'node:net'
import type { Control } from '../../../domain/control.ts'
import type { Duplex } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { appHint, type Owner } from '../../../domain/owner.ts'
import { abortable, startDeadline } from '../../../lib/deadline.ts'
import { findRecords } from '../inside/records.ts'
import { insideName, membersName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { KnownTask } from './describe-process.ts'
import { findKnown } from './list-processes.ts'

const connectDeadlineMs = 10_000

interface InsideAddress {
  owner: Owner
  host: string
  port: number
}

/**
 * Opens a connection to a copy by the name under which its owner's own processes reach it, or by its process id: to any
 * of several, as a name server would have it. No other host can be named. The rack itself stands in the network of the
 * processes.
 */
export async function connectInside(
  parts: AwsParts,
  inside: InsideAddress,
  control: Control,
): Promise<Duplex> {
  const [known, records] = await Promise.all([
    findKnown(parts, { owner: inside.owner }, control),
    findRecords(parts, inside.owner, control),
  ])
  const target = records.get(insideName(parts.rack, inside.owner, inside.host))
  const isLed = ({ generation }: KnownTask) =>
    generation !== null && membersName(parts.rack, generation) === target
  let failure: unknown
  for (const address of addressesOf(known, inside, isLed)) {
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

/** The addresses that have the name, beginning with any. @throws not-found for a name that no copy has */
function addressesOf(
  known: KnownTask[],
  { owner, host }: InsideAddress,
  isLed: (copy: KnownTask) => boolean,
): string[] {
  const there = known.filter(({ last }) => last.task.lastStatus !== 'STOPPED')
  const named = there.filter((each) => each.last.process === host || isLed(each))
  // A type whose copies are all down has its name still.
  if (named.length === 0 && !known.some(isLed)) {
    const types = [...new Set(there.map(({ last }) => last.type))].toSorted()
    throw new RackError('not-found', `${host} is no process of ${owner.name}: nothing else can be reached`, {
      ...(types.length === 0 ? appHint(owner, 'rack ps') : { hint: `It has: ${types.join(', ')}` }),
    })
  }
  const addresses = named.flatMap(({ last: { address, task } }) =>
    task.lastStatus === 'RUNNING' && task.desiredStatus !== 'STOPPED' && address !== null ? [address] : [],
  )
  const first = Math.floor(Math.random() * addresses.length)
  return [...addresses.slice(first), ...addresses.slice(0, first)]
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
