import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { RawData, WebSocket } from 'ws'
import type { RackError } from '../domain/error.ts'
import { checkSocket } from './check-socket.ts'
import { largestFrameBytes } from './contract/frames.ts'
import { dialTunnel, trusted } from './dial-tunnel.ts'
import { checkAddressLength, dialPinned } from './pinned-server.ts'
import type { NodeRoute, SocketRequest, TransportResponse, TransportSocket } from './transport.ts'
import { unreachable } from './unreachable.ts'

/** Beyond this much unread, the sender is asked to wait. */
const highWaterBytes = 1024 * 1024

/** Opens a WebSocket with a bearer token, which the global one has no room for. */
export async function openNodeSocket(
  { url, headers, signal }: SocketRequest,
  route: NodeRoute,
): Promise<TransportSocket | TransportResponse> {
  const { connectTimeoutMs, socketPath, pinned, tunnel, server } = route
  signal.throwIfAborted()
  if (socketPath !== undefined) checkSocket(socketPath)
  if (server) checkAddressLength(url, server)
  const { WebSocket } = await import('ws')
  const options = {
    headers: { ...headers, ...tunnel?.headers },
    handshakeTimeout: connectTimeoutMs,
    maxPayload: largestFrameBytes,
    perMessageDeflate: false,
    ...trusted(pinned),
    ...(socketPath !== undefined && { createConnection: () => connectTo(socketPath) }),
    ...(tunnel && { createConnection: () => dialTunnel(url, tunnel) as Socket }),
    ...(server && { createConnection: () => dialPinned(server) }),
  }
  const socket = new WebSocket(url, options)
  const { promise, resolve, reject } = Promise.withResolvers<TransportSocket | TransportResponse>()
  const lost = (cause: unknown) => unreachable(url, cause, route)
  const inbox = createInbox(socket, lost)
  const onAbort = () => {
    reject(signal.reason as Error)
    inbox.fail(signal.reason as Error)
    socket.terminate()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
  socket.once('open', () => resolve(adapt(socket, inbox)))
  socket.once('unexpected-response', (_request, response) => resolve(asResponse(socket, response)))
  socket.on('error', (error) => {
    const failure = lost(error)
    reject(failure)
    inbox.fail(failure)
  })
  return await promise
}

function connectTo(socketPath: string): Socket {
  return process.getBuiltinModule('node:net').connect(socketPath)
}

function asResponse(socket: WebSocket, response: IncomingMessage): TransportResponse {
  const read = async function* () {
    for await (const chunk of response) yield chunk as Uint8Array
    socket.terminate()
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers as Record<string, string | undefined>,
    body: read(),
  }
}

function adapt(socket: WebSocket, inbox: Inbox): TransportSocket {
  return {
    send: async (message) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      // A failed send is followed by `close`, which ends the messages.
      socket.send(message, () => resolve())
      await promise
    },
    messages: inbox.messages(),
    close: () => socket.close(1000),
  }
}

interface Inbox {
  messages(): AsyncIterable<Uint8Array>
  fail(error: Error): void
}

/** Holds what has come and is not read yet, and pauses the connection when that is much. */
function createInbox(socket: WebSocket, lost: (cause: unknown) => RackError): Inbox {
  const queue: Uint8Array[] = []
  let queuedBytes = 0
  let failure: Error | null = null
  let isClosed = false
  let wake: () => void = () => {}

  socket.on('message', (data: RawData) => {
    const message = new Uint8Array(data as Buffer)
    queue.push(message)
    queuedBytes += message.length
    if (queuedBytes > highWaterBytes) socket.pause()
    wake()
  })
  const fail = (error: Error) => {
    failure ??= error
    wake()
  }
  socket.on('close', (code) => {
    isClosed = true
    if (code !== 1000) fail(lost(Object.assign(new Error(`closed with ${code}`), { code: 'ECONNRESET' })))
    wake()
  })

  const messages = async function* () {
    for (;;) {
      const next = queue.shift()
      if (next) {
        queuedBytes -= next.length
        if (queuedBytes <= highWaterBytes) socket.resume()
        yield next
      } else {
        if (failure) throw failure
        if (isClosed) return
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        await promise
      }
    }
  }
  return { messages, fail }
}
