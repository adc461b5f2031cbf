import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Control } from '../../src/domain/control.ts'
import type { AppRoutes, Backend, Server } from '../../src/engines/docker/router/route-table.ts'
import { createRouter } from '../../src/engines/docker/router/router.ts'
import type { Router } from '../../src/engines/docker/router/router.ts'

export const control: Control = { signal: new AbortController().signal, report() {} }
export const local = '127.0.0.1'

/** A real HAProxy in a directory of its own, ended after the test. */
export async function startRouter(t: TestContext): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-router-'))
  const httpPort = await freePort()
  const make = () => createRouter({ directory, httpBind: local, httpPort })
  const router = make()
  t.after(async () => {
    await router.stop(control)
    await rm(directory, { recursive: true })
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
  process: string,
  release: string,
  answer?: Answer,
): Promise<Server> {
  const server = createServer(answer ?? ((_request, response) => response.end(process)))
  server.listen(0, local)
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { process, release, address: local, port: (server.address() as AddressInfo).port }
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
