import type { WebSocket } from 'ws'
import { RackError } from '../domain/error.ts'

/** Ends when the client leaves. */
export function signalOfClient(socket: WebSocket, pingMs = 1_000): AbortSignal {
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
export function send(socket: WebSocket, message: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.send(message, () => resolve())
  return promise
}
