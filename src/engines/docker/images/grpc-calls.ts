import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import { RackError } from '../../../domain/error.ts'

/** Statuses of gRPC. @see https://grpc.io/docs/guides/status-codes/ */
const grpcStatus = { ok: '0', notFound: '5', unimplemented: '12', internal: '13' } as const

/** Answers one message with another. @throws RackError `not-found` for what is not there */
export type UnaryCall = (request: Buffer) => Uint8Array
/** Answers messages as they come, each with any number of bytes; nothing is sent where there are none. */
export type StreamCall = (headers: IncomingHttpHeaders) => (message: Buffer) => Uint8Array

/** Both sides speak when they like. */
export interface Flow {
  take(message: Buffer): void
  /** The other side has gone: the output is to end. */
  end(): void
  /** Messages, read as fast as they are taken. */
  output: AsyncIterable<Uint8Array>
}

/** By path. */
export interface GrpcCalls {
  unary: Record<string, UnaryCall>
  stream: Record<string, StreamCall>
  /** @throws RackError `not-found` for what is not there */
  flow: Record<string, (headers: IncomingHttpHeaders) => Flow>
}

/** Of HTTP/2. */
const internalError = 2

const head = { ':status': 200, 'content-type': 'application/grpc' }
/** As gRPC bounds them itself. */
const largestMessage = 4 * 1024 * 1024

/** Serves calls of gRPC on a connection of HTTP/2; a call that it does not know is told so. */
export function serveGrpc(server: ServerHttp2Session, calls: GrpcCalls): void {
  server.on('stream', (stream, headers) => {
    // The other side may hang up in mid-answer.
    stream.on('error', () => stream.destroy())
    const path = headers[':path'] ?? ''
    const unary = Object.hasOwn(calls.unary, path) ? calls.unary[path] : undefined
    const open = Object.hasOwn(calls.stream, path) ? calls.stream[path] : undefined
    const flow = Object.hasOwn(calls.flow, path) ? calls.flow[path] : undefined
    if (unary) serveUnary(stream, unary)
    else if (flow) serveFlow(stream, () => flow(headers))
    else if (open) serveStream(stream, () => open(headers))
    else refuse(stream, grpcStatus.unimplemented)
  })
}

function serveUnary(stream: ServerHttp2Stream, call: UnaryCall): void {
  readMessages(stream, (message) => {
    const reply = call(message)
    stream.respond(head, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus.ok }))
    stream.end(framed(reply))
  })
}

function serveStream(stream: ServerHttp2Stream, open: () => (message: Buffer) => Uint8Array): void {
  const call = attempt(stream, open)
  if (!call) return
  stream.respond(head, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus.ok }))
  readMessages(stream, (message) => {
    const reply = call(message)
    if (reply.length > 0) stream.write(framed(reply))
  })
  stream.on('end', () => stream.end())
}

function serveFlow(stream: ServerHttp2Stream, open: () => Flow): void {
  const flow = attempt(stream, open)
  if (!flow) return
  stream.respond(head, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus.ok }))
  readMessages(stream, (message) => flow.take(message))
  stream.on('close', () => flow.end())
  const output = Readable.from(framedEach(flow.output), { objectMode: false })
  // What breaks ends the call; the flow itself knows why.
  output.on('error', () => stream.close(internalError))
  output.pipe(stream)
  stream.on('close', () => output.destroy())
}

async function* framedEach(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const message of messages) yield framed(message)
}

/** A message is a byte that says how it is packed, its length in four bytes, and itself. */
function readMessages(stream: ServerHttp2Stream, take: (message: Buffer) => void): void {
  let held = Buffer.alloc(0)
  stream.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes])
    while (held.length >= 5) {
      const length = held.readUInt32BE(1)
      if (held[0] !== 0 || length > largestMessage) return refuse(stream, grpcStatus.internal)
      if (held.length < 5 + length) return
      const message = held.subarray(5, 5 + length)
      held = held.subarray(5 + length)
      attempt(stream, () => take(message))
    }
  })
}

/** What goes wrong ends the call, and not the daemon. */
function attempt<T>(stream: ServerHttp2Stream, act: () => T): T | null {
  try {
    return act()
  } catch (error) {
    const isMissing = error instanceof RackError && error.code === 'not-found'
    refuse(stream, isMissing ? grpcStatus.notFound : grpcStatus.internal)
    return null
  }
}

function refuse(stream: ServerHttp2Stream, status: string): void {
  if (stream.headersSent) {
    stream.close()
    return
  }
  stream.resume()
  stream.respond({ ...head, 'grpc-status': status }, { endStream: true })
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}
