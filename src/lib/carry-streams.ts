import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'

/** What one stream may have under way, and all of them: a fast end of a slow way shall not wait for words of the other. */
const streamBytes = 4 * 2 ** 20
const pipeBytes = 32 * 2 ** 20
const mostStreams = 512
/** Of all streams, what is queued for a pipe that takes none; beyond it new ones are refused. */
const memoryMegabytes = 256
const settings = { initialWindowSize: streamBytes, maxConcurrentStreams: mostStreams, enablePush: false }

const refusedBecause = 'x-refused'

/** The near end of a pipe that carries many byte streams at once, each with back-pressure of its own: HTTP/2 and its CONNECT. */
export interface Carrier {
  /** A new stream. It fails with `code` ECONNRESET when the pipe ends, and else with the code of what the far end met. */
  dial(): Duplex
  /** Ends the pipe with all that it carries. */
  close(): void
}

export async function openCarrier(pipe: Duplex): Promise<Carrier> {
  const { connect } = await import('node:http2')
  const session = connect('http://pipe', {
    createConnection: () => pipe,
    settings,
    maxSessionMemory: memoryMegabytes,
  })
  session.once('connect', () => session.setLocalWindowSize(pipeBytes))
  const lose = () => session.destroy()
  pipe.once('end', lose).once('close', lose)
  // Each stream tells of it.
  session.on('error', () => undefined)
  return {
    dial() {
      if (session.destroyed || session.closed) throw failure('ECONNRESET')
      return dial(session)
    },
    close: lose,
  }
}

function dial(session: ClientHttp2Session): Duplex {
  const stream = session.request({ ':method': 'CONNECT', ':authority': 'pipe' }, { endStream: false })
  stream.once('response', (headers) => {
    if (headers[':status'] !== 200) stream.destroy(failure(String(headers[refusedBecause] ?? 'ECONNRESET')))
  })
  const end = stream.destroy.bind(stream)
  // What goes with the session, or breaks the protocol, is a connection that was lost; by itself it would end in silence.
  stream.destroy = (error?: Error) => {
    const isLost = error ? isOfProtocol(error) : session.destroyed && !stream.readableEnded
    return end(isLost ? failure('ECONNRESET', error) : error)
  }
  return stream
}

/**
 * The far end: joins each stream to a connection, until the pipe ends.
 * @param connect a connection that has been begun; the code of its failure is told to the near end
 */
export async function carryStreams(pipe: Duplex, connect: () => Duplex): Promise<void> {
  const { performServerHandshake } = await import('node:http2')
  const session = performServerHandshake(pipe, { settings, maxSessionMemory: memoryMegabytes })
  session.setLocalWindowSize(pipeBytes)
  session.on('stream', (stream: ServerHttp2Stream) => join(stream, connect))
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const end = () => {
    session.destroy()
    resolve()
  }
  session.once('close', end)
  pipe.once('end', end).once('close', end)
  // A near end that has gone away is how every pipe ends.
  session.on('error', end)
  await ended
}

function join(stream: ServerHttp2Stream, connect: () => Duplex): void {
  let connection: Duplex
  try {
    connection = connect()
  } catch (error) {
    refuse(stream, error)
    return
  }
  let isOpen = false
  connection.once('connect', () => {
    isOpen = true
    stream.respond({ ':status': 200 })
    connection.pipe(stream)
    stream.pipe(connection)
  })
  connection.once('error', (error) => {
    if (isOpen) stream.destroy(error)
    else refuse(stream, error)
  })
  connection.once('close', () => {
    if (!connection.readableEnded) stream.destroy()
  })
  // Each side ends with the other.
  stream.on('error', () => undefined)
  stream.once('close', () => connection.destroy())
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed) return
  const { code = 'ECONNRESET' } = error as { code?: string }
  stream.on('error', () => undefined)
  stream.respond({ ':status': 502, [refusedBecause]: code }, { endStream: true })
}

function isOfProtocol(error: Error): boolean {
  return String((error as { code?: unknown }).code).startsWith('ERR_HTTP2')
}

function failure(code: string, cause?: Error): Error {
  return Object.assign(new Error(`the stream ended: ${code}`, { cause }), { code })
}
