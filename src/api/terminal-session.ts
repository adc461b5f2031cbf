import type { RawData, WebSocket } from 'ws'
import {
  channels,
  decodeFrame,
  encodeJsonFrame,
  frameJson,
  splitFrames,
  type Channel,
} from '../client/contract/frames.ts'
import { RackError } from '../domain/error.ts'
import type { ExitCode, Process } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Problem } from '../client/contract/problem.ts'
import { createByteQueue } from './byte-queue.ts'

interface Size {
  rows: number
  columns: number
}

export interface TerminalSession {
  terminal: Terminal
  /** Ends when the client leaves. */
  signal: AbortSignal
  started: (process: Process) => void
  /** Says how the command ended and closes. */
  exit(exitCode: ExitCode): Promise<void>
  refuse(problem: Problem): Promise<void>
}

export interface TerminalOptions extends Size {
  tty: boolean
  pingMs?: number
}

/** Makes a terminal of a WebSocket; must be called before its first message. */
export function openTerminal(socket: WebSocket, options: TerminalOptions): TerminalSession {
  const received = receiveFrames(socket, options)
  const sendJson = (channel: Channel, value: unknown) => send(socket, encodeJsonFrame(channel, value))
  const finish = async (channel: Channel, value: unknown) => {
    received.ignoreInput()
    await sendJson(channel, value)
    socket.close(1000)
  }
  const terminal: Terminal = {
    tty: options.tty,
    get rows() {
      return received.size().rows
    },
    get columns() {
      return received.size().columns
    },
    input: received.input,
    async output(stream, chunk) {
      const channel = stream === 'stdout' ? channels.output : channels.error
      for (const frame of splitFrames(channel, chunk)) await send(socket, frame)
    },
    onResize: received.onResize,
  }
  return {
    terminal,
    signal: signalOfClient(socket, options.pingMs),
    started: (process) => void sendJson(channels.started, process),
    exit: (exitCode) => finish(channels.exit, { exitCode }),
    refuse: (problem) => finish(channels.problem, problem),
  }
}

interface Received {
  input: AsyncIterable<Uint8Array>
  /** Drops what still comes, and unblocks a connection that waits for its reader. */
  ignoreInput(): void
  size(): Size
  onResize: (listener: (size: Size) => void) => void
}

function receiveFrames(socket: WebSocket, { rows, columns }: Size): Received {
  const input = createByteQueue({ pause: () => socket.pause(), resume: () => socket.resume() })
  const listeners: ((size: Size) => void)[] = []
  let size = { rows, columns }

  const receive = (message: Uint8Array) => {
    const { channel, content } = decodeFrame(message)
    if (channel === channels.input) input.push(content)
    else if (channel === channels.endOfInput) input.end()
    else if (channel === channels.resize) {
      size = parseSize(content) ?? size
      for (const listener of listeners) listener(size)
    }
  }
  socket.on('message', (data: RawData, isBinary) => {
    if (isBinary) receive(data as Buffer)
    else socket.close(1003, 'only binary messages')
  })
  socket.once('close', () => input.end())
  return {
    input: input.chunks(),
    ignoreInput() {
      input.end()
      socket.resume()
    },
    size: () => size,
    onResize: (listener) => void listeners.push(listener),
  }
}

function signalOfClient(socket: WebSocket, pingMs = 1_000): AbortSignal {
  const gone = new AbortController()
  // While input is paused, only writing finds out that the client is gone.
  const pings = setInterval(() => socket.ping(), pingMs)
  socket.once('close', () => {
    clearInterval(pings)
    gone.abort(new RackError('cancelled', 'the client is gone'))
  })
  return gone.signal
}

/** Settles when the bytes are with the system, or when the socket is closed: the signal tells of that. */
function send(socket: WebSocket, frame: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.send(frame, () => resolve())
  return promise
}

function parseSize(content: Uint8Array): Size | null {
  try {
    const { rows, columns } = frameJson(content) as Partial<Size>
    const isSize = (value: unknown): value is number =>
      Number.isInteger(value) && Number(value) > 0 && Number(value) <= 10_000
    return isSize(rows) && isSize(columns) ? { rows, columns } : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
