import type { RawData, WebSocket } from 'ws'
import type { Terminal } from '../domain/terminal.ts'
import { createByteQueue } from './byte-queue.ts'
import { send, signalOfClient } from './client-socket.ts'

interface Size {
  rows: number
  columns: number
}

/** How a face writes a terminal into messages. */
export interface TerminalCodec {
  /** Null for a message that says nothing to us. */
  decode(message: Uint8Array, isBinary: boolean): TerminalMessage | null
  /** The messages that carry what the process wrote, in order. */
  encodeOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): Iterable<Uint8Array>
}

export type TerminalMessage =
  | { type: 'input'; content: Uint8Array }
  | { type: 'end-of-input' }
  | ({ type: 'size' } & Size)
  /** Ends the connection. */
  | { type: 'unreadable'; reason: string }

export interface SocketTerminal {
  terminal: Terminal
  /** Ends when the client leaves. */
  signal: AbortSignal
  /** Settles when the bytes are with the system, or when the socket is closed: the signal tells of that. */
  send: (message: Uint8Array) => Promise<void>
  /** Sends the last message and closes. */
  finish: (message: Uint8Array) => Promise<void>
}

export interface TerminalOptions extends Size {
  tty: boolean
  pingMs?: number
}

/** Makes a terminal of a WebSocket; must be called before its first message. */
export function openSocketTerminal(
  socket: WebSocket,
  codec: TerminalCodec,
  options: TerminalOptions,
): SocketTerminal {
  const received = receiveMessages(socket, codec, options)
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
      for (const message of codec.encodeOutput(stream, chunk)) await send(socket, message)
    },
    onResize: received.onResize,
  }
  return {
    terminal,
    signal: signalOfClient(socket, options.pingMs),
    send: (message) => send(socket, message),
    async finish(message) {
      received.ignoreInput()
      await send(socket, message)
      socket.close(1000)
    },
  }
}

interface Received {
  input: AsyncIterable<Uint8Array>
  /** Drops what still comes, and unblocks a connection that waits for its reader. */
  ignoreInput(): void
  size(): Size
  onResize: (listener: (size: Size) => void) => void
}

function receiveMessages(socket: WebSocket, codec: TerminalCodec, { rows, columns }: Size): Received {
  const input = createByteQueue({ pause: () => socket.pause(), resume: () => socket.resume() })
  const listeners: ((size: Size) => void)[] = []
  let size = { rows, columns }

  const receive = (message: TerminalMessage | null) => {
    if (message?.type === 'input') input.push(message.content)
    else if (message?.type === 'end-of-input') input.end()
    else if (message?.type === 'unreadable') socket.close(1003, message.reason)
    else if (message) {
      size = { rows: message.rows, columns: message.columns }
      for (const listener of listeners) listener(size)
    }
  }
  socket.on('message', (data: RawData, isBinary) => receive(codec.decode(data as Buffer, isBinary)))
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
