import type { RawData, WebSocket } from 'ws'
import {
  channels,
  decodeFrame,
  encodeFrame,
  encodeJsonFrame,
  splitFrames,
} from '../client/contract/frames.ts'
import type { Problem } from '../client/contract/problem.ts'
import type { Duplex } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { createByteQueue } from '../edge/byte-queue.ts'
import { send, signalOfClient } from '../edge/client-socket.ts'

/** A client's end of a byte stream. */
export interface ConnectionSession {
  /** Ends when the client leaves. */
  signal: AbortSignal
  /** Settles when both directions have ended. */
  join(inside: Duplex): Promise<void>
  refuse(problem: Problem): Promise<void>
}

/** Makes a byte stream of a WebSocket; must be called before its first message. */
export function openConnection(socket: WebSocket): ConnectionSession {
  const signal = signalOfClient(socket)
  const received = receiveBytes(socket)

  const takeIn = async (inside: Duplex) => {
    for await (const chunk of received.chunks()) await inside.input(chunk)
    // A client that is gone has not ended its stream: what it meant to send is not whole.
    if (!received.isEnded()) throw new RackError('cancelled', 'the client is gone')
    inside.end()
  }
  const giveOut = async (inside: Duplex) => {
    for await (const chunk of inside.output) {
      for (const frame of splitFrames(channels.output, chunk)) await send(socket, frame)
      signal.throwIfAborted()
    }
    await send(socket, encodeFrame(channels.endOfOutput))
  }
  return {
    signal,
    async join(inside) {
      try {
        await send(socket, encodeFrame(channels.started))
        await Promise.all([takeIn(inside), giveOut(inside)])
        socket.close(1000)
      } finally {
        inside.close()
      }
    },
    async refuse(problem) {
      received.ignore()
      await send(socket, encodeJsonFrame(channels.problem, problem))
      socket.close(1000)
    },
  }
}

function receiveBytes(socket: WebSocket) {
  const queue = createByteQueue({ pause: () => socket.pause(), resume: () => socket.resume() })
  let isEnded = false
  socket.on('message', (data: RawData, isBinary) => {
    if (!isBinary) return socket.close(1003, 'only binary messages')
    const { channel, content } = decodeFrame(data as Buffer)
    if (channel === channels.input) queue.push(content)
    if (channel !== channels.endOfInput) return
    isEnded = true
    queue.end()
  })
  socket.once('close', () => queue.end())
  return {
    chunks: () => queue.chunks(),
    isEnded: () => isEnded,
    /** Drops what still comes, and unblocks a connection that waits for its reader. */
    ignore() {
      queue.end()
      socket.resume()
    },
  }
}
