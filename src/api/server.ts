import { fastifySwagger } from '@fastify/swagger'
import { fastifyWebsocket } from '@fastify/websocket'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler } from 'fastify-type-provider-zod'
import { randomUUID } from 'node:crypto'
import { largestFrameBytes } from '../client/contract/frames.ts'
import { RackError } from '../domain/error.ts'
import type { Operations } from '../operations/operations.ts'
import { authorize, checkHost } from './guard.ts'
import type { Handlers } from './handlers.ts'
import { toProblem } from './problem.ts'
import { linger } from './read-upload.ts'
import { registerRoutes } from './register-routes.ts'
import { appHandlers } from './routes/apps.ts'
import { buildHandlers } from './routes/builds.ts'
import { environmentHandlers } from './routes/environment.ts'
import { formationHandlers } from './routes/formation.ts'
import { logHandlers } from './routes/logs.ts'
import { processHandlers } from './routes/processes.ts'
import { rackHandlers } from './routes/rack.ts'
import { releaseHandlers } from './routes/releases.ts'
import { volumeHandlers } from './routes/volumes.ts'

export interface ApiServerOptions {
  operations: Operations
  version: string
  log: ApiLog
}

/** The part of a logger that the API uses. */
export interface ApiLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ApiServer {
  /**
   * Settles with the base address, e.g. `http://127.0.0.1:5480`.
   * @throws port-taken
   */
  listen(address: { host: string; port: number }): Promise<string>
  /** Takes no more requests and ends those that run: streams and terminals lose their client. */
  close(): Promise<void>
}

/** JSON bodies; an upload has no limit here. */
const largestBodyBytes = 4 * 1024 * 1024
/** A command to run travels in the address. */
const largestHeadBytes = 128 * 1024
/** How long a terminal's client may take to hear of the end. */
const closingMs = 1_000

/** The HTTP API of a rack: validates, calls one operation, renders. */
export async function createServer({ operations, version, log }: ApiServerOptions): Promise<ApiServer> {
  const server = fastify({
    bodyLimit: largestBodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // Addresses that cannot be read are refused before any route, hook or error handler.
    frameworkErrors: (error, request, reply) => sendProblem(reply, error, request.id),
    genReqId: () => randomUUID(),
    http: { maxHeaderSize: largestHeadBytes, keepAlive: true, keepAliveInitialDelay: 30_000 },
    routerOptions: { maxParamLength: 200 },
  })
  server.setValidatorCompiler(() => (value) => ({ value }))
  server.setSerializerCompiler(serializerCompiler)
  const reportFailure = failureReporter(log)
  addErrors(server, reportFailure)
  await server.register(fastifyWebsocket, {
    options: { maxPayload: largestFrameBytes, perMessageDeflate: false },
    // The session hears of the close that follows.
    errorHandler: (_error, socket) => socket.terminate(),
  })
  server.addHook('preClose', async () => endSockets(server))
  // After the sockets' own hooks, which close a connection that was refused.
  addGuards(server, operations)
  addAccessLog(server, log)
  await server.register(fastifySwagger, {
    openapi: description(version),
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  server.addContentTypeParser('application/x-tar', (_request, _payload, done) => done(null))
  const describe = () => server.swagger() as unknown as Record<string, unknown>
  registerRoutes(server, allHandlers(operations, describe), reportFailure)
  await server.ready()
  return {
    listen: (address) => listen(server, address),
    close: () => server.close(),
  }
}

function allHandlers(operations: Operations, describe: () => Record<string, unknown>): Handlers {
  return {
    ...rackHandlers(operations, describe),
    ...appHandlers(operations),
    ...buildHandlers(operations),
    ...releaseHandlers(operations),
    ...environmentHandlers(operations),
    ...processHandlers(operations),
    ...formationHandlers(operations),
    ...volumeHandlers(operations),
    ...logHandlers(operations),
  }
}

function addErrors(
  server: FastifyInstance,
  reportFailure: (error: unknown, request: FastifyRequest) => void,
) {
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

function addGuards(server: FastifyInstance, operations: Operations) {
  server.decorateRequest('actor', '')
  server.decorateRequest('valid')
  server.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
    const { operation } = request.routeOptions.config
    // Even to one who asked for its end: an answer before the last byte would be lost in a reset. See `linger`.
    if (operation?.kind === 'upload') void reply.header('connection', 'keep-alive')
    checkHost(request)
    if (operation)
      request.actor = (await authorize(operations, operation, request.headers.authorization)) ?? ''
  })
}

/** A client that reads nothing would hold the close of its terminal for half a minute. */
function endSockets({ websocketServer }: FastifyInstance) {
  const end = () => websocketServer.clients.forEach((socket) => socket.terminate())
  setTimeout(end, closingMs).unref()
}

/** Routes, not addresses: those hold commands. */
function addAccessLog(server: FastifyInstance, log: ApiLog) {
  server.addHook('onResponse', async (request, reply) => {
    linger(request.raw)
    const { method, id: requestId, actor, routeOptions } = request
    const ms = Math.round(reply.elapsedTime)
    log.info({ requestId, method, route: routeOptions.url, status: reply.statusCode, ms, actor }, 'request')
  })
}

/** A refusal is the caller's business; only a bug is ours. */
function failureReporter(log: ApiLog) {
  return (error: unknown, request: FastifyRequest) => {
    if (toProblem(error, request.id).code !== 'internal') return
    log.error({ requestId: request.id, route: request.routeOptions.url, err: error }, 'a request failed')
  }
}

async function listen(server: FastifyInstance, address: { host: string; port: number }): Promise<string> {
  try {
    return await server.listen(address)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new RackError('port-taken', `port ${address.port} of ${address.host} is taken by another program`, {
      cause,
    })
  }
}

function description(version: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rack',
      version,
      description: 'Runs a docker-compose.yml in production. Times are RFC 3339 UTC, lists are arrays.',
    },
    components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
  }
}
