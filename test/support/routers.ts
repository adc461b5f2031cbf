import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Control } from '../../src/domain/control.ts'
import type { AppRoutes, Backend, Server } from '../../src/router/route-table.ts'
import { createRouter } from '../../src/router/create-router.ts'
import type { Router, RouterOptions } from '../../src/router/router.ts'
import { until } from '../../src/lib/poll.ts'

export const control: Control = { signal: new AbortController().signal, report() {} }
export const local = '127.0.0.1'

/** A real HAProxy in a directory of its own, ended after the test. */
export async function startRouter(t: TestContext, options: Partial<RouterOptions> = {}): Promise<Place> {
  // As in an installation: only its owner may look into the directory above.
  const parent = await mkdtemp(join(tmpdir(), 'rack-router-'))
  const directory = join(parent, 'router')
  const httpPort = await freePort()
  const make = () => createRouter({ directory, httpBind: local, httpPort, ...options })
  const router = make()
  t.after(async () => {
    await router.stop(control)
    await rm(parent, { recursive: true })
  })
  await router.start(control)
  return { router, make, directory, httpPort }
}

export interface Place {
  router: Router
  /** Another object for the same directory, as a restarted daemon has one. */
  make: () => Router
  directory: string
  httpPort: number
}

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, local)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A copy of an app that answers with its name. */
export async function startCopy(
  t: TestContext,
  processId: string,
  release: string,
  answer?: Answer,
): Promise<Server> {
  return (await startMortalCopy(t, { process: processId, release, answer })).copy
}

interface MortalCopy {
  process: string
  release: string
  answer?: Answer | undefined
  /** Any that is free when absent. */
  port?: number
}

/** As `startCopy`, with a way to end it, connections too. */
export async function startMortalCopy(
  t: TestContext,
  { process: processId, release, answer, port = 0 }: MortalCopy,
): Promise<{ copy: Server; end: () => void }> {
  const server = createServer(answer ?? ((_request, response) => response.end(processId)))
  server.listen(port, local)
  await once(server, 'listening')
  const end = () => {
    server.closeAllConnections()
    server.close()
  }
  t.after(end)
  return {
    copy: { ...copyAt(server, processId), release },
    end,
  }
}

export function backend(servers: Server[]): Backend {
  return { check: { kind: 'tcp' }, intervalMs: 500, timeoutMs: 500, rise: 1, fall: 2, drainMs: 2000, servers }
}

export function webApp(app: string, servers: Server[], options: Partial<Backend> = {}): AppRoutes {
  const hosts = [`${app}.localhost`, `web.${app}.localhost`]
  return {
    app,
    http: [{ type: 'web', port: 3000, hosts, backend: { ...backend(servers), ...options } }],
    tcp: [],
  }
}

interface Reply {
  status: number
  body: string
  headers: IncomingMessage['headers']
}

/** Asks the router for a host; the client's own address may be any of the loopback network. */
export async function get(
  port: number,
  host: string,
  headers: Record<string, string> = {},
  more: RequestOptions = {},
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({ host: local, port, headers: { host, ...headers }, agent: false, ...more }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  const body = (await response.setEncoding('utf8').toArray()).join('')
  return { status: response.statusCode ?? 0, body, headers: response.headers }
}

/** The serving process: another one after a reload. */
export async function workerOf({ router }: Place): Promise<number> {
  const { pid } = await router.status(control)
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return Math.max(...children.trim().split(' ').map(Number))
}

export interface KeepAlive {
  /** Sends a request and reads its answer to the end. */
  ask(host: string): Promise<string>
  /** Waits until the answer that is being read has this text. */
  has(part: string): Promise<void>
}

/** A client that makes one request after the other on one connection. */
export function keepAlive(t: TestContext, port: number): KeepAlive {
  const socket = connect(port, local).setEncoding('utf8')
  t.after(() => socket.destroy())
  let answer = ''
  socket.on('data', (piece: string) => (answer += piece))
  const until5s = async (what: string, isDone: () => boolean) => {
    const look = () => {
      if (isDone()) return true
      if (socket.readableEnded) throw new Error(`closed after ${JSON.stringify(answer)}`)
      return false
    }
    await until(look, { deadlineMs: 5000, intervalMs: 10, what })
  }
  return {
    has: (part) => until5s(part, () => answer.includes(part)),
    async ask(host) {
      answer = ''
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      await until5s(`the answer of ${host}`, () => isWhole(answer))
      return answer
    },
  }
}

/** Sends a request as it is written, on a connection of its own, and reads what comes until the other side ends it. */
export async function sendRaw(port: number, text: string, localAddress = local): Promise<string> {
  const socket = connect({ port, host: local, localAddress }).setEncoding('latin1')
  socket.write(text)
  return (await socket.toArray()).join('')
}

function isWhole(answer: string): boolean {
  const [head = '', body] = answer.split('\r\n\r\n')
  return body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Infinity)
}

/** A copy on a tcp port that gives back what it gets. */
export async function startEcho(t: TestContext): Promise<Server> {
  const echo = createTcpServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, local)
  await once(echo, 'listening')
  t.after(() => echo.close())
  return copyAt(echo, 'PDDDDDDDDDD')
}

/** A copy that a server which listens stands for. */
export function copyAt(server: Pick<TcpServer, 'address'>, processId: string): Server {
  const { port } = server.address() as AddressInfo
  return { process: processId, release: 'R1', address: local, port }
}
