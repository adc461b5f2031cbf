import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Agent } from 'node:https'
import { checkSocket } from './check-socket.ts'
import { dialTunnel, trusted } from './dial-tunnel.ts'
import { openNodeSocket } from './node-socket.ts'
import { checkAddressLength, pinnedAgent, pinnedConnection } from './pinned-server.ts'
import type { NodeRoute, Transport, TransportRequest, TransportResponse } from './transport.ts'
import { unreachable } from './unreachable.ts'

/** Node's http, loaded when first needed: `import` of it costs 30 ms at start, fetch 55. */
export function nodeTransport({ connectTimeoutMs = 10_000, ...way }: Partial<NodeRoute> = {}): Transport {
  const route = { connectTimeoutMs, ...way, ...(way.server && { agent: pinnedAgent(way.server) }) }
  return {
    request: (request) => send(request, route, true),
    connect: (request) => openNodeSocket(request, route),
  }
}

type OpenRoute = NodeRoute & { agent?: Agent }

async function send(
  request: TransportRequest,
  route: OpenRoute,
  mayRepeat: boolean,
): Promise<TransportResponse> {
  const { url, method, headers, body, signal } = request
  signal.throwIfAborted()
  if (route.socketPath !== undefined) checkSocket(route.socketPath)
  if (route.server) checkAddressLength(url, route.server)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = openRequest(request, route)
  const upload = createUpload(outgoing, body)
  // Without an error: a socket between two requests has nobody to hear it.
  const onAbort = () => void outgoing.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  outgoing.once('close', () => signal.removeEventListener('abort', onAbort))
  outgoing.once('response', resolve)
  // Stays for the life of the request: a second error without a listener would end the program.
  outgoing.on('error', (error) => reject(upload.failure ?? error))
  limitConnect(outgoing, route.connectTimeoutMs)
  void upload.start()
  try {
    const response = await promise
    if ((response.statusCode ?? 0) >= 400) upload.stop()
    return {
      status: response.statusCode ?? 0,
      headers: response.headers as Record<string, string | undefined>,
      body: readBody({ request, outgoing, response, upload, route }),
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (upload.failure) throw upload.failure
    // The rack closed an idle connection at the moment of its reuse: nothing was read of this request.
    const wasStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    if (wasStale && mayRepeat && method === 'GET') {
      return await send({ url, method, headers, body, signal }, route, false)
    }
    throw unreachable(url, error, route)
  }
}

function openRequest(
  { url, method, headers, body }: TransportRequest,
  { socketPath, pinned, tunnel, server, agent }: OpenRoute,
): ClientRequest {
  const isSecure = url.protocol === 'https:'
  const http = isSecure ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')
  const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
  if (tunnel) {
    const createConnection = () => dialTunnel(url, tunnel)
    return http.request(url, {
      method,
      headers: { ...headers, ...tunnel.headers, ...length },
      createConnection,
    })
  }
  const own = { method, headers: { ...headers, ...length } }
  if (server) {
    const { host: hostname, ...connection } = pinnedConnection(server)
    const asked = { ...own.headers, host: server.name }
    return http.request(url, { ...own, ...connection, headers: asked, hostname, agent })
  }
  return http.request(url, { ...own, socketPath, ...trusted(pinned) })
}

/** Bounds the connection's set-up only: what follows has deadlines of its own. */
function limitConnect(outgoing: ClientRequest, connectTimeoutMs: number) {
  const give = () => outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }))
  const timer = setTimeout(give, connectTimeoutMs)
  const clear = () => clearTimeout(timer)
  outgoing.once('close', clear)
  outgoing.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', clear)
    else clear()
  })
}

interface Upload {
  /** What the source threw, which explains the broken request better than the request does. */
  readonly failure: Error | null
  start(): Promise<void>
  /** The rack has said no: what is not sent yet never will be. */
  stop(): void
}

function createUpload(outgoing: ClientRequest, body: TransportRequest['body']): Upload {
  let failure: Error | null = null
  let isStopped = false
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  outgoing.once('close', stop)

  const start = async () => {
    if (body === null || typeof body === 'string') {
      outgoing.end(body ?? undefined)
      return
    }
    try {
      for await (const chunk of body) {
        if (isStopped || outgoing.destroyed) return
        if (!outgoing.write(chunk)) await Promise.race([drained(outgoing), stopped])
      }
      if (!isStopped) outgoing.end()
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      outgoing.destroy(failure)
    }
  }

  return {
    get failure() {
      return failure
    },
    start,
    stop() {
      isStopped = true
      stop()
    },
  }
}

async function drained(outgoing: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  outgoing.once('drain', resolve)
  await promise
}

interface Exchange {
  request: TransportRequest
  outgoing: ClientRequest
  response: IncomingMessage
  upload: Upload
  route: NodeRoute
}

async function* readBody({
  request,
  outgoing,
  response,
  upload,
  route,
}: Exchange): AsyncGenerator<Uint8Array> {
  const { url, signal } = request
  try {
    for await (const chunk of response) yield chunk as Uint8Array
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw upload.failure ?? unreachable(url, error, route)
  } finally {
    upload.stop()
    // A request that is not sent whole would leave its connection in the middle of a body.
    if (!outgoing.writableFinished) outgoing.destroy()
  }
}
