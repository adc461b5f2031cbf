import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { WebSocket } from 'ws'
import * as z from 'zod'
import { contract } from '../client/contract.ts'
import type { Op } from '../client/contract/op.ts'
import { RackError } from '../domain/error.ts'
import type { AnyCall, Handlers } from './handlers.ts'
import { toProblem } from './problem.ts'
import { readUpload } from './read-upload.ts'
import { openRecordStream } from './record-stream.ts'
import { routeSchema } from './route-schema.ts'
import { openTerminal } from './terminal-session.ts'
import { validateRequest } from './validate.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Op
  }
  interface FastifyRequest {
    /** The name of the token. */
    actor: string
    /** What the schemas made of the request. */
    valid: Pick<AnyCall, 'params' | 'query' | 'body'>
  }
}

/** Hears of failures that a client sees only in part. */
export type ReportFailure = (error: unknown, request: FastifyRequest) => void

/** Makes a route of each operation of the contract. */
export function registerRoutes(
  server: FastifyInstance,
  handlers: Handlers,
  reportFailure: ReportFailure,
): void {
  for (const [name, operation] of Object.entries(contract) as [keyof Handlers, Op][]) {
    const handle = handlers[name] as (call: AnyCall) => unknown
    server.route({
      method: operation.method,
      url: operation.path,
      schema: { operationId: name, ...routeSchema(operation) },
      config: { operation },
      preHandler: async (request) => {
        const { params, query, body } = request
        request.valid = validateRequest(operation, { params, query, body })
      },
      ...respond(operation, handle, reportFailure),
    })
  }
}

type Handle = (call: AnyCall) => unknown

function respond(
  operation: Op,
  handle: Handle,
  reportFailure: ReportFailure,
): Pick<RouteOptions, 'handler' | 'wsHandler'> {
  switch (operation.kind) {
    case 'json':
      return { handler: (request, reply) => replyJson(operation, handle, request, reply) }
    case 'lines':
      return { handler: (request, reply) => replyLines(handle, reportFailure, request, reply) }
    case 'stream':
    case 'upload':
      return {
        handler: (request, reply) => replyProgress({ operation, handle, reportFailure }, request, reply),
      }
    case 'terminal':
      return {
        handler: () => {
          throw new RackError('usage', 'this path wants a WebSocket')
        },
        wsHandler: (socket, request) => replyTerminal(handle, reportFailure, request, socket),
      }
  }
}

async function replyJson(operation: Op, handle: Handle, request: FastifyRequest, reply: FastifyReply) {
  const signal = leavingOf(reply)
  const result = await handle(callOf(request, { signal, report: () => undefined }))
  if (operation.reply instanceof z.ZodNull) return reply.code(204).send()
  return reply.send(result)
}

interface Route {
  operation: Op
  handle: Handle
  reportFailure: ReportFailure
}

async function replyProgress(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { operation, handle, reportFailure } = route
  const signal = leavingOf(reply)
  const stream = openRecordStream(reply, signal)
  const call = callOf(request, { signal, report: (progress) => stream.report(progress) })
  if (operation.kind === 'upload') call.content = uploadOf(request)
  try {
    const result = operation.reply.encode(await handle(call))
    await stream.write({ type: 'result', result })
  } catch (error) {
    if (!stream.isOpen) throw error
    if (!signal.aborted) reportFailure(error, request)
    await stream.write({ type: 'error', error: toProblem(error, request.id) })
  } finally {
    stream.end()
  }
}

/** @throws usage when the body is something else than a tar */
function uploadOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  if (request.headers['content-type'] === 'application/x-tar') return readUpload(request.raw)
  throw new RackError('usage', 'a build wants its source as application/x-tar')
}

async function replyLines(
  handle: Handle,
  reportFailure: ReportFailure,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const signal = leavingOf(reply)
  const stream = openRecordStream(reply, signal)
  try {
    const lines = handle(callOf(request, { signal, report: () => undefined })) as AsyncIterable<object>
    for await (const line of lines) {
      await stream.write(line)
      if (signal.aborted) break
    }
    await stream.write({ type: 'result', result: null })
  } catch (error) {
    if (!stream.isOpen && !signal.aborted) throw error
    if (!signal.aborted) reportFailure(error, request)
    await stream.write({ type: 'error', error: toProblem(error, request.id) })
  } finally {
    stream.end()
  }
}

async function replyTerminal(
  handle: Handle,
  reportFailure: ReportFailure,
  request: FastifyRequest,
  socket: WebSocket,
): Promise<void> {
  const size = request.valid.query as { tty: boolean; rows: number; columns: number }
  const session = openTerminal(socket, size)
  const { terminal, signal } = session
  const call = callOf(request, { signal, report: () => undefined })
  try {
    await session.exit((await handle({ ...call, terminal, started: session.started })) as number)
  } catch (error) {
    if (!signal.aborted) reportFailure(error, request)
    await session.refuse(toProblem(error, request.id))
  }
}

function callOf({ valid, actor }: FastifyRequest, control: AnyCall['control']): AnyCall {
  return { ...valid, actor, control }
}

/** Ends when the client leaves before its answer is whole. */
function leavingOf({ raw }: FastifyReply): AbortSignal {
  const leaving = new AbortController()
  const leave = () => {
    if (!raw.writableFinished) leaving.abort(new RackError('cancelled', 'the client is gone'))
  }
  // It may have left while its token was looked up.
  if (raw.destroyed) leave()
  else raw.once('close', leave)
  return leaving.signal
}
