import { connect, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { abortable, DeadlineError, startDeadline } from './deadline.ts'

// Not imported, which would load far more of Node.
const { request } = process.getBuiltinModule('node:http')

/** Where a probe knocks, and how it speaks there. */
export interface ProbedServer {
  address: string
  port: number
  /** An HTTP path that must answer 2xx or 3xx; null is a connect. */
  path: string | null
  /** The name by which it asks for the path. */
  host: string
  timeoutMs: number
  /** The version of the PROXY protocol that comes first. */
  proxy: false | 'v1' | 'v2'
  secure: boolean
  upstream?: 'h2c' | 'h2'
}

/** What a probe saw; `answered` is false when nothing listened or nothing came back. */
export interface SeenByProbe {
  isGood: boolean
  answered: boolean
  text: string
}

/** Asks a server once, as a router would. Rejects only when the caller's signal ends. */
export async function probeServer(target: ProbedServer, signal: AbortSignal): Promise<SeenByProbe> {
  using deadline = startDeadline({ deadlineMs: target.timeoutMs, what: 'an answer', signal })
  try {
    return target.path === null
      ? await tryConnect(target, deadline.signal)
      : await tryGet(target, target.path, deadline.signal)
  } catch (error) {
    signal.throwIfAborted()
    return { isGood: false, answered: false, text: failureText(target, error) }
  }
}

async function tryConnect(target: ProbedServer, signal: AbortSignal): Promise<SeenByProbe> {
  using _connection = await open(target, signal)
  return { isGood: true, answered: true, text: `connected to ${target.port}` }
}

async function tryGet(target: ProbedServer, path: string, signal: AbortSignal): Promise<SeenByProbe> {
  const { port, host } = target
  using connection = await open(target, signal)
  using sent = connection.isHttp2 ? sendHttp2(target, path, connection) : send(target, path, connection)
  const { status, body } = await abortable(sent.answer, signal)
  const isGood = status >= 200 && status < 400
  const said = isGood ? '' : await abortable(gistOf(body), signal)
  const asked = `GET ${path} on ${port} (Host: ${host})`
  return { isGood, answered: true, text: `${asked} answered ${status}${said && `: ${said}`}` }
}

/** A request that is under way; its end takes the connection along. */
interface Sent extends Disposable {
  answer: Promise<{ status: number; body: Readable }>
}

const userAgent = 'rack-health'

function send({ host }: ProbedServer, path: string, { socket }: Connection): Sent {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Readable }>()
  const headers = { Host: host, 'User-Agent': userAgent, Connection: 'close' }
  const sent = request({ path, headers, createConnection: () => socket }, (response) =>
    resolve({ status: response.statusCode ?? 0, body: response }),
  )
  sent.on('error', reject)
  sent.end()
  return { answer: promise, [Symbol.dispose]: () => void sent.destroy() }
}

function sendHttp2({ host, secure }: ProbedServer, path: string, { socket }: Connection): Sent {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Readable }>()
  const http2 = process.getBuiltinModule('node:http2')
  const session = http2.connect(`${secure ? 'https' : 'http'}://${host}`, { createConnection: () => socket })
  // Stays, as that of a socket does.
  session.on('error', reject)
  const stream = session.request({ ':path': path, ':authority': host, 'user-agent': userAgent })
  stream.on('error', reject)
  stream.once('response', (headers) => resolve({ status: headers[':status'] ?? 0, body: stream }))
  session.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  return { answer: promise, [Symbol.dispose]: () => session.destroy() }
}

/** How much of an answer is looked at, and told. */
const mostBytes = 8192
const mostLetters = 200

/** What a page says of itself: its title, else its first line; nothing where the answer breaks off before. */
async function gistOf(response: Readable): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString()
      if (text.length >= mostBytes) break
    }
  } catch {
    // What came before it broke is all that there is.
  }
  const title = /<title[^>]*>([^<]+)/i.exec(text)?.[1]
  const line = (title ?? text.trimStart().split('\n')[0] ?? '').trim()
  return line.length > mostLetters ? `${line.slice(0, mostLetters)}…` : line
}

interface Connection extends Disposable {
  socket: Socket
  isHttp2: boolean
}

/** Connects as the router does: first the PROXY protocol, then TLS, each where the port wants it. */
async function open(target: ProbedServer, signal: AbortSignal): Promise<Connection> {
  const { address, port, proxy, secure, upstream } = target
  const plain = connect({ host: address, port })
  let socket = plain
  try {
    await abortable(opening(plain, 'connect'), signal)
    if (proxy) plain.write(proxy === 'v2' ? proxyHeader : proxyLine(plain))
    let isHttp2 = upstream === 'h2c'
    if (secure) {
      const tls = process.getBuiltinModule('node:tls')
      // The router does not verify the certificate either: the process is on the app's own network.
      const protocols = upstream === 'h2' ? { ALPNProtocols: ['h2', 'http/1.1'] } : {}
      const secured = tls.connect({ socket: plain, rejectUnauthorized: false, ...protocols })
      socket = secured
      await abortable(opening(socket, 'secureConnect'), signal)
      isHttp2 = secured.alpnProtocol === 'h2'
    }
    return { socket, isHttp2, [Symbol.dispose]: () => socket.destroy() }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function opening(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once(event, resolve)
  // Stays: what happens to a socket after its deadline must not end the daemon.
  socket.on('error', reject)
  socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  return promise
}

/**
 * Version 2 in front of a connection that is nobody's but the sender's own: LOCAL, without addresses.
 * @see https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt section 2.2
 */
const proxyHeader = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')

/** @see the same, section 2.1 */
function proxyLine({ localAddress, localPort, remoteAddress, remotePort, localFamily }: Socket): string {
  const family = localFamily === 'IPv6' ? 'TCP6' : 'TCP4'
  return `PROXY ${family} ${localAddress} ${remoteAddress} ${localPort} ${remotePort}\r\n`
}

function failureText({ port, path, timeoutMs }: ProbedServer, error: unknown): string {
  const what = path === null ? '' : `GET ${path}: `
  if (error instanceof DeadlineError) return `${what}no answer on ${port} within ${timeoutMs} ms`
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `${what}connection refused on ${port}`
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `${what}no route to the process on ${port}`
  return `${what}connection on ${port} broke (${code ?? 'unknown'})`
}
