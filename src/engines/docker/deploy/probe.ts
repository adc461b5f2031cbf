import { connect, type Socket } from 'node:net'
import { abortable, DeadlineError, startDeadline } from '../../../lib/deadline.ts'

// Not imported, which would load far more: see `client.ts`.
const { request } = process.getBuiltinModule('node:http')

/** What a probe saw; `answered` is false when nothing listened or nothing came back. */
export interface ProbeResult {
  isGood: boolean
  answered: boolean
  text: string
}

export interface ProbeTarget {
  address: string
  port: number
  /** An HTTP path that must answer 2xx or 3xx; null is a connect. */
  path: string | null
  /** True begins with the line of the PROXY protocol. */
  proxy: boolean
  /** True speaks TLS. */
  secure: boolean
  timeoutMs: number
}

/** Asks a copy once, as the router will. Rejects only when the caller's signal ends. */
export async function probeCopy(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
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

async function tryConnect(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  using _connection = await open(target, signal)
  return { isGood: true, answered: true, text: `connected to ${target.port}` }
}

async function tryGet(target: ProbeTarget, path: string, signal: AbortSignal): Promise<ProbeResult> {
  const { address, port } = target
  using connection = await open(target, signal)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const headers = { Host: `${address}:${port}`, 'User-Agent': 'rack-health', Connection: 'close' }
  const createConnection = () => connection.socket
  const sent = request({ path, headers, createConnection }, (response) => {
    response.destroy()
    resolve(response.statusCode ?? 0)
  })
  sent.on('error', reject)
  sent.end()
  try {
    const status = await abortable(promise, signal)
    return {
      isGood: status >= 200 && status < 400,
      answered: true,
      text: `GET ${path} on ${port} answered ${status}`,
    }
  } finally {
    sent.destroy()
  }
}

interface Connection extends Disposable {
  socket: Socket
}

/** Connects as the router does: first the line of the PROXY protocol, then TLS, each where the port wants it. */
async function open({ address, port, proxy, secure }: ProbeTarget, signal: AbortSignal): Promise<Connection> {
  const plain = connect({ host: address, port })
  let socket = plain
  try {
    await abortable(opening(plain, 'connect'), signal)
    if (proxy) plain.write(proxyLine(plain))
    if (secure) {
      const tls = process.getBuiltinModule('node:tls')
      // The router does not verify the certificate either: the process is on the app's own network.
      socket = tls.connect({ socket: plain, rejectUnauthorized: false })
      await abortable(opening(socket, 'secureConnect'), signal)
    }
    return { socket, [Symbol.dispose]: () => socket.destroy() }
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

/** @see https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt section 2.1 */
function proxyLine({ localAddress, localPort, remoteAddress, remotePort, localFamily }: Socket): string {
  const family = localFamily === 'IPv6' ? 'TCP6' : 'TCP4'
  return `PROXY ${family} ${localAddress} ${remoteAddress} ${localPort} ${remotePort}\r\n`
}

function failureText({ port, path, timeoutMs }: ProbeTarget, error: unknown): string {
  const what = path === null ? '' : `GET ${path}: `
  if (error instanceof DeadlineError) return `${what}no answer on ${port} within ${timeoutMs} ms`
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `${what}connection refused on ${port}`
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `${what}no route to the process on ${port}`
  return `${what}connection on ${port} broke (${code ?? 'unknown'})`
}
