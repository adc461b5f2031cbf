import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { WebSocket } from 'ws'
import * as z from 'zod'
import { contract } from '../client/contract.ts'
import { channels, encodeJsonFrame } from '../client/contract/frames.ts'
import type { Op } from '../client/contract/op.ts'
import type { Duplex } from '../domain/engine.ts'
import { abortable } from '../lib/deadline.ts'
import { RackError } from '../domain/error.ts'
import type { AppProcess } from '../domain/process.ts'
import type { FaceTools, ReportFailure } from '../edge/face.ts'
import { toProblem } from '../edge/problem.ts'
import { readUpload } from '../edge/read-upload.ts'
import { openRecordStream } from '../edge/record-stream.ts'
import { openSocketTerminal } from '../edge/socket-terminal.ts'
import type { Door } from '../operations/door.ts'
import { replyArchive } from './archive-reply.ts'
import { openConnection } from './connection-session.ts'
import type { AnyCall, Handlers } from './handlers.ts'
import { routeSchema } from './route-schema.ts'
import { routeVerbs } from './route-verbs.ts'
import { terminalCodec } from './terminal-codec.ts'
import { validateRequest } from './validate.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the schemas made of the request. */
    valid: Pick<AnyCall, 'params' | 'query' | 'body'>
  }
}

/** Makes a route of each operation of the contract. */
export function registerRoutes(
  server: FastifyInstance,
  handlers: Handlers,
  { door, reportFailure }: FaceTools,
): void {
  server.decorateRequest('valid')
  for (const [name, operation] of Object.entries(contract) as [keyof Handlers, Op][]) {
    const handle = handlers[name] as (call: AnyCall) => unknown
    server.route({
      method: operation.method,
      url: operation.path,
      schema: { operationId: name, ...routeSchema(operation, routeVerbs[name]) },
      config: { access: routeVerbs[name], isUpload: operation.kind === 'upload' },
      preHandler: async (request) => {
        const { params, query, body } = request
        request.valid = validateRequest(operation, { params, query, body })
      },
      ...respond(operation, bind(door, handle), reportFailure),
    })
  }
}

type Handle = (call: Omit<AnyCall, 'operations'> & Pick<FastifyRequest, 'caller'>) => unknown

/** Gives a handler the verbs of who calls. */
function bind(door: Door, handle: (call: AnyCall) => unknown): Handle {
  return ({ caller, ...call }) => handle({ ...call, operations: caller && door.as(caller) })
}

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
    case 'download':
      return {
        handler: (request, reply) => {
          const call = callOf(request, { signal: leavingOf(request, reply), report: () => undefined })
          return replyArchive(reply, call, { handle, report: (error) => reportFailure(error, request) })
        },
      }
    case 'connection':
      return {
        handler: refuseHttp,
        wsHandler: (socket, request) => replyConnection(handle, reportFailure, request, socket),
      }
    case 'terminal':
      return {
        handler: refuseHttp,
        wsHandler: (socket, request) => replyTerminal(handle, reportFailure, request, socket),
      }
  }
}

function refuseHttp(): never {
  throw new RackError('usage', 'this path wants a WebSocket')
}

async function replyJson(operation: Op, handle: Handle, request: FastifyRequest, reply: FastifyReply) {
  const signal = leavingOf(request, reply)
  const result = await handleJson(handle, request, signal)
  if (operation.reply instanceof z.ZodNull) return reply.code(204).send()
  return reply.send(result)
}

async function handleJson(handle: Handle, request: FastifyRequest, signal: AbortSignal): Promise<unknown> {
  try {
    return await handle(callOf(request, { signal, report: () => undefined }))
  } catch (error) {
    throw overOr(error, request)
  }
}

interface Route {
  operation: Op
  handle: Handle
  reportFailure: ReportFailure
}

async function replyProgress(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { operation, handle, reportFailure } = route
  const signal = leavingOf(request, reply)
  const stream = openRecordStream(reply, signal)
  const call = callOf(request, { signal, report: (progress) => stream.report(progress) })
  if (operation.kind === 'upload') call.content = uploadOf(request, operation)
  try {
    const result = operation.reply.encode(await handle(call))
    await stream.write({ type: 'result', result })
  } catch (thrown) {
    const error = overOr(thrown, request)
    if (!stream.isOpen) throw error
    if (!signal.aborted) reportFailure(error, request)
    await stream.write({ type: 'error', error: toProblem(error, request.id) })
  } finally {
    stream.end()
  }
}

/** @throws usage when the body is something else than a tar */
function uploadOf(request: FastifyRequest, { silenceMs }: Op): AsyncIterable<Uint8Array> {
  if (request.headers['content-type'] === 'application/x-tar') return readUpload(request.raw, silenceMs)
  throw new RackError('usage', 'this path wants a tar: application/x-tar')
}

async function replyLines(
  handle: Handle,
  reportFailure: ReportFailure,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const signal = leavingOf(request, reply)
  const stream = openRecordStream(reply, signal)
  try {
    const lines = handle(callOf(request, { signal, report: () => undefined })) as AsyncIterable<object>
    for await (const line of lines) {
      await stream.write(line)
      if (signal.aborted) break
    }
    request.loginOver?.throwIfAborted()
    await stream.write({ type: 'result', result: null })
  } catch (thrown) {
    const error = overOr(thrown, request)
    if (!stream.isOpen && (!signal.aborted || error === request.loginOver?.reason)) throw error
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
  const { terminal, signal: leaving, send, finish } = openSocketTerminal(socket, terminalCodec, size)
  const signal = untilOver(request, leaving)
  const started = (running: AppProcess) => void send(encodeJsonFrame(channels.started, running))
  const call = callOf(request, { signal, report: () => undefined })
  try {
    const exitCode = await handle({ ...call, terminal, started })
    request.loginOver?.throwIfAborted()
    await finish(encodeJsonFrame(channels.exit, { exitCode }))
  } catch (thrown) {
    const error = overOr(thrown, request)
    if (!signal.aborted) reportFailure(error, request)
    await finish(encodeJsonFrame(channels.problem, toProblem(error, request.id)))
  }
}

async function replyConnection(
  handle: Handle,
  reportFailure: ReportFailure,
  request: FastifyRequest,
  socket: WebSocket,
): Promise<void> {
  const session = openConnection(socket)
  const signal = untilOver(request, session.signal)
  try {
    const inside = (await handle(callOf(request, { signal, report: () => undefined }))) as Duplex
    await abortable(session.join(inside), signal)
  } catch (thrown) {
    const error = overOr(thrown, request)
    if (!signal.aborted) reportFailure(error, request)
    await session.refuse(toProblem(error, request.id))
  }
}

function callOf({ valid, caller }: FastifyRequest, control: AnyCall['control']): Parameters<Handle>[0] {
  return { ...valid, caller, control }
}

/** Why the token is good no longer, where that has ended the call. */
function overOr(error: unknown, { loginOver }: FastifyRequest): unknown {
  return loginOver?.aborted ? loginOver.reason : error
}

function untilOver({ loginOver }: FastifyRequest, leaving: AbortSignal): AbortSignal {
  return loginOver ? AbortSignal.any([leaving, loginOver]) : leaving
}

/** Ends when the client leaves before its answer is whole, and when its token is good no longer. */
function leavingOf(request: FastifyRequest, { raw }: FastifyReply): AbortSignal {
  const leaving = new AbortController()
  const leave = () => {
    if (!raw.writableFinished) leaving.abort(new RackError('cancelled', 'the client is gone'))
  }
  // It may have left while its token was looked up.
  if (raw.destroyed) leave()
  else raw.once('close', leave)
  return untilOver(request, leaving.signal)
}
