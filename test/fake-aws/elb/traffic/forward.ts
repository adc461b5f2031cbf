import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { answerText } from './balancer-answers.ts'
import { use, type Member } from './group-targets.ts'

/** The way of one request to its target. */
export interface Way {
  member: Member
  isTls: boolean
  idleMs: number
  connectMs: number
  /** Told to the target, in the place of the client's own. */
  headers: [string, string][]
  /** Hears of a target that could not be reached, and of each answer that is the balancer's own. */
  onFailed(kind: 'connection' | 'answer'): void
  /** Given to the client. */
  cookies: string[]
}

/** Of one hop, never passed on (RFC 9110). */
const hop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'])

/** Leads a request to its target and the answer back, byte by byte as they come. */
export function forward(way: Way, request: IncomingMessage, response: ServerResponse): void {
  const upstream = send(way, request, without(request.rawHeaders, hop))
  const cut = () => {
    upstream.destroy()
    response.destroy()
  }
  const done = use(way.member, cut)
  response.on('close', () => {
    done()
    if (!response.writableFinished) upstream.destroy()
  })
  upstream.on('response', (answer) => {
    const status = answer.statusCode ?? 502
    response.writeHead(status, answer.statusMessage, [...answerHeaders(answer), ...setCookies(way)])
    // Headers of a stream that says nothing yet must not wait for its first byte.
    response.flushHeaders()
    answer.pipe(response)
    // A target that breaks off: the client sees it too.
    answer.on('aborted', () => response.destroy()).on('error', () => response.destroy())
  })
  upstream.on('error', (error) => fail(way, response, error))
  request.on('error', () => upstream.destroy())
  request.pipe(upstream)
}

function send(way: Way, request: IncomingMessage, headers: string[]): ClientRequest {
  const { member, isTls, idleMs, connectMs } = way
  const own = new Set(way.headers.map(([name]) => name.toLowerCase()))
  const options = {
    host: member.target.address,
    port: member.target.port,
    method: request.method,
    path: request.url,
    headers: [...without(headers, own), ...way.headers.flat()],
    agent: member.agent,
    rejectUnauthorized: false,
    setHost: false,
  }
  const upstream = (isTls ? httpsRequest : httpRequest)(options)
  const late = (code: string) => () =>
    upstream.destroy(Object.assign(new Error('the target is late'), { code }))
  upstream.setTimeout(idleMs, late('LATE'))
  // A target has 10 s to take a connection (D).
  const timer = setTimeout(late('LATE'), connectMs)
  const stop = () => clearTimeout(timer)
  upstream.on('socket', (socket) => {
    if (!socket.connecting) return stop()
    socket.once(isTls ? 'secureConnect' : 'connect', stop)
  })
  upstream.on('close', stop).on('error', stop)
  return upstream
}

const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])

/** 504 for a target that is late, 502 for one that breaks off or cannot be reached (D). */
function fail(way: Way, response: ServerResponse, error: Error): void {
  const { code = '' } = error as NodeJS.ErrnoException
  if (unreachable.has(code)) way.onFailed('connection')
  if (response.headersSent) return void response.destroy()
  way.onFailed('answer')
  answerText(response, code === 'LATE' ? 504 : 502)
}

/** Node's own names and values in turn, without some of the names. */
function without(rawHeaders: string[], names: Set<string>): string[] {
  return rawHeaders.filter((_, at) => !names.has(rawHeaders[at - (at % 2)]!.toLowerCase()))
}

/** How the body is cut into pieces is each connection's own. */
const answerHeaders = ({ rawHeaders }: IncomingMessage) =>
  without(rawHeaders, new Set([...hop, 'transfer-encoding']))

const setCookies = ({ cookies }: Way) => cookies.flatMap((cookie) => ['Set-Cookie', cookie])

/** Leads a connection that is to become something else, such as a WebSocket. */
export function upgrade(
  way: Way,
  request: IncomingMessage,
  { socket, head }: { socket: Socket; head: Buffer },
): void {
  const upstream = send(
    way,
    request,
    without(request.rawHeaders, new Set(['keep-alive', 'proxy-connection'])),
  )
  const done = use(way.member, () => {
    upstream.destroy()
    socket.destroy()
  })
  socket.setTimeout(way.idleMs, () => socket.destroy())
  socket.on('close', () => {
    done()
    upstream.destroy()
  })
  upstream.on('upgrade', (answer, other: Socket, first) => {
    socket.write(headOf(answer, answer.rawHeaders))
    if (first.length > 0) socket.write(first)
    if (head.length > 0) other.write(head)
    socket.pipe(other).pipe(socket)
    other.on('error', () => socket.destroy()).on('close', () => socket.end())
    socket.on('close', () => other.destroy())
  })
  upstream.on('response', (answer) => {
    const raw = [...answerHeaders(answer), 'Connection', 'close']
    socket.write(headOf(answer, raw))
    answer.pipe(socket)
  })
  upstream.on('error', () => {
    way.onFailed('answer')
    if (socket.bytesWritten > 0) socket.destroy()
    else socket.end('HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\nConnection: close\r\n\r\n')
  })
  upstream.end()
}

function headOf({ statusCode, statusMessage }: IncomingMessage, rawHeaders: string[]): string {
  const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []))
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, '', ''].join('\r\n')
}
