import { fastifyWebsocket } from '@fastify/websocket'
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { RackError } from '../domain/error.ts'
import type { Door } from '../operations/door.ts'
import { guardConnections, limitConnections, type ConnectionLimits } from './connection-limits.ts'
import type { Face, ReportFailure } from './face.ts'
import { createFailedLogins, type FailedLogins } from './failed-logins.ts'
import { authorize, checkHost } from './guard.ts'
import { createLineQuota } from '../lib/line-quota.ts'
import { markRouted, type Front } from './routed.ts'
import { toProblem } from './problem.ts'
import { linger } from './read-upload.ts'
import { watchLogin } from './watch-login.ts'

export interface EdgeOptions {
  door: Door
  faces: Face[]
  log: EdgeLog
  /** What a process with the usual number of open files can bear unless given. */
  limits?: ConnectionLimits
  /** By which it is asked for through what stands in front; by none when absent. */
  ownHost?: string | null
}

/** The part of a logger that the edge uses. */
export interface EdgeLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** `front`: what alone connects there, for those who have come to it. Never the first to be listened at. */
export type ListenAddress = ({ host: string; port: number } | { path: string }) & { front?: Front }

export interface Edge {
  /**
   * May be called once for each address. Settles with the base address, e.g. `http://127.0.0.1:5480`, or the path.
   * @throws port-taken
   */
  listen(address: ListenAddress): Promise<string>
  /** Takes no more requests and ends those that run: streams and terminals lose their client. */
  close(): Promise<void>
}

/** JSON bodies; an upload has no limit here. */
const largestBodyBytes = 4 * 1024 * 1024
/** A command to run travels in the address. */
const largestHeadBytes = 128 * 1024
const keepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000 }
/** Requests of those who have not said who they are: lines of the log. */
const strangersLines = { lines: 30, periodMs: 60_000 }
const usualLimits = limitConnections(4096)
/** How long a terminal's client may take to hear of the end. */
const closingMs = 1_000

/** Faces bring their own; where none is named Fastify loads one for JSON Schema, which is 3 MB of the idle daemon. */
const noCompilers = {
  buildValidator: () => (() => (value: unknown) => ({ value })) as never,
  buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
}

/** The one listener of a rack: who may call from where, errors, the log; what is said on it is its faces' to know. */
export async function createEdge({
  door,
  faces,
  log,
  limits = usualLimits,
  ownHost = null,
}: EdgeOptions): Promise<Edge> {
  const server = fastify({
    bodyLimit: largestBodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // Addresses that cannot be read are refused before any route, hook or error handler.
    frameworkErrors: (error, request, reply) => sendProblem(reply, error, request.id),
    genReqId: () => randomUUID(),
    http: {
      maxHeaderSize: largestHeadBytes,
      headersTimeout: limits.headMs,
      connectionsCheckingInterval: limits.headMs / 5,
      ...keepAlive,
    },
    keepAliveTimeout: limits.idleMs,
    routerOptions: { maxParamLength: 200 },
    schemaController: { compilersFactory: noCompilers },
  })
  const reportFailure = failureReporter(log)
  addErrors(server, reportFailure)
  await server.register(fastifyWebsocket, {
    options: {
      maxPayload: Math.max(...faces.map(({ largestMessageBytes }) => largestMessageBytes)),
      perMessageDeflate: false,
    },
    // The session hears of the close that follows.
    errorHandler: (_error, socket) => socket.terminate(),
  })
  server.addHook('preClose', async () => endSockets(server))
  // After the sockets' own hooks, which close a connection that was refused.
  addHostRule(server, ownHost)
  addAccessLog(server, log)
  const tools = { door, reportFailure, failedLogins: createFailedLogins() }
  for (const face of faces) await server.register(async (scope) => addFace(scope, face, tools))
  const others: Server[] = []
  // Before it closes what is open: nobody new comes in between.
  server.addHook('preClose', async () => others.forEach((other) => void other.close()))
  guardConnections(server.server, limits)
  await server.ready()
  return {
    listen: (address) => listen(server, address, others),
    close: () => server.close(),
  }
}

/** In a scope of its own. A route that does not say who may call it is a bug, which no caller shall find. */
function addFace(
  scope: FastifyInstance,
  face: Face,
  tools: { door: Door; reportFailure: ReportFailure; failedLogins: FailedLogins },
): void {
  scope.addHook('onRoute', ({ config, url }) => {
    if (config?.access === undefined) throw new Error(`${face.name}: ${url} does not say who may call it`)
  })
  scope.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config
    if (access === undefined) return
    const login = await authorize(tools, access, request, face.tokenOf(request))
    if (!login) return
    request.caller = login.caller
    request.loginOver = watchLogin(request, reply, login)
  })
  face.addRoutes(scope, tools)
}

function addErrors(server: FastifyInstance, reportFailure: ReportFailure) {
  server.setErrorHandler((error, request, reply) => {
    reportFailure(error, request)
    sendProblem(reply, error, request.id)
  })
  server.setNotFoundHandler((request) => {
    throw new RackError(
      'not-found',
      `this rack has no ${request.method} ${request.url.split('?')[0] ?? ''}`,
      {
        hint: 'The rack may be older than what asks it: rack status',
      },
    )
  })
}

function sendProblem(reply: FastifyReply, error: unknown, requestId: string): void {
  const problem = toProblem(error, requestId)
  void reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem)
}

function addHostRule(server: FastifyInstance, ownHost: string | null) {
  server.decorateRequest('caller', null)
  server.decorateRequest('loginOver', null)
  server.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
    // Even to one who asked for its end: an answer before the last byte would be lost in a reset. See `linger`.
    if (request.routeOptions.config.isUpload === true) void reply.header('connection', 'keep-alive')
    checkHost(request, ownHost)
  })
}

/** A client that reads nothing would hold the close of its terminal for half a minute. */
function endSockets({ websocketServer }: FastifyInstance) {
  const end = () => websocketServer.clients.forEach((socket) => socket.terminate())
  setTimeout(end, closingMs).unref()
}

/** Routes, not addresses: those hold commands. */
function addAccessLog(server: FastifyInstance, log: EdgeLog) {
  const strangers = createLineQuota(strangersLines)
  server.addHook('onResponse', async (request, reply) => {
    linger(request.raw)
    const { method, id: requestId, caller, routeOptions } = request
    const leftOut = caller === null ? strangers.take(performance.now()) : 0
    if (leftOut === null) return
    const ms = Math.round(reply.elapsedTime)
    const { statusCode: status } = reply
    const actor = caller?.name ?? ''
    const more = leftOut === 0 ? {} : { leftOut }
    log.info({ requestId, method, route: routeOptions.url, status, ms, actor, ...more }, 'request')
  })
}

/** A refusal is the caller's business; only a bug is ours. */
function failureReporter(log: EdgeLog): ReportFailure {
  return (error, request) => {
    if (toProblem(error, request.id).code !== 'internal') return
    log.error({ requestId: request.id, route: request.routeOptions.url, err: error }, 'a request failed')
  }
}

/** The server has one address of its own; what comes by others is handed to it. */
async function listen(server: FastifyInstance, address: ListenAddress, others: Server[]): Promise<string> {
  try {
    if (!server.server.listening) return await server.listen(address)
    // As Node's own for http is.
    const other = createServer({ allowHalfOpen: true, noDelay: true, ...keepAlive }, (socket) => {
      if (address.front) markRouted(socket, address.front)
      server.server.emit('connection', socket)
    })
    other.listen(address)
    await once(other, 'listening')
    others.push(other)
    return 'path' in address ? address.path : `http://${address.host}:${address.port}`
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    const place = 'path' in address ? address.path : `port ${address.port} of ${address.host}`
    throw new RackError('port-taken', `${place} is taken by another program`, { cause })
  }
}
