import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as requestByTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../src/lib/poll.ts'
import { createAuthority, issueCertificate, type Issued } from '../../src/lib/x509/issue.ts'
import { freePort } from './installed-rack.ts'

/** What stands before the authority answers in its place. */
export interface Instead {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

/** Let's Encrypt's own server for tests, with names that all lead to this machine, behind a small proxy. */
export interface Pebble extends AsyncDisposable {
  /** By way of the proxy. */
  directory: string
  /** PEM of who has signed for the directory. */
  ca: string
  /** PEM of who signs certificates. */
  root: string
  /** Asked before each request, such as `POST /order-plz`; null lets it through. It may be replaced. */
  instead: (asked: string) => Instead | null | Promise<Instead | null>
  /** What was asked so far. */
  asked: string[]
  /** Where names are managed: http://127.0.0.1:PORT. */
  names: string
  /** Tells the names' server: `set-txt`, `clear-txt`, `add-a`, `set-servfail`. */
  tell(what: string, facts: Record<string, unknown>): Promise<void>
}

const span = { from: new Date(Date.now() - 60_000), until: new Date(Date.now() + 86_400_000) }

/** @param httpPort where it asks for challenges, in place of 80 */
export async function startPebble(httpPort: number): Promise<Pebble> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'rack-pebble-'))
  undo.defer(async () => await rm(directory, { recursive: true, force: true }))
  const authority = await createAuthority({ name: 'Test directory', ...span })
  const own = await issueCertificate({ authority, names: ['localhost'], ...span, usages: ['server'] })
  const [dns, names, port, management] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const place = (name: string) => join(directory, name)
  await writeFile(place('own.pem'), own.certificate)
  await writeFile(place('own.key'), own.key)
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: place('own.pem'),
    privateKey: place('own.key'),
    httpPort,
    tlsPort: 1,
  }
  await writeFile(place('pebble.json'), JSON.stringify({ pebble: config }))
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const server = ['-defaultIPv6', '', '-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${names}`]
  undo.defer(startProgram('pebble-challtestsrv', [...off, ...server]))
  // It looks at once, reuses nothing, and refuses some nonces as it does by itself.
  const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0', PEBBLE_WFE_NONCEREJECT: '15' }
  const asks = ['-config', place('pebble.json'), '-dnsserver', `127.0.0.1:${dns}`]
  undo.defer(startProgram('pebble', asks, env))
  const ask = async (path: string) => await fetchText(management, path, authority.certificate)
  const root = await until(() => ask('/roots/0').catch(() => null), {
    deadlineMs: 20_000,
    what: 'pebble to answer',
  })
  const asked: string[] = []
  const pebble = {
    ca: authority.certificate,
    root,
    asked,
    instead: (() => null) as Pebble['instead'],
    names: `http://127.0.0.1:${names}`,
    async tell(what: string, facts: Record<string, unknown>) {
      const reply = await fetch(`http://127.0.0.1:${names}/${what}`, {
        method: 'POST',
        body: JSON.stringify(facts),
      })
      if (!reply.ok) throw new Error(`${what}: ${reply.status}`)
    },
  }
  await until(
    () =>
      pebble.tell('set-default-ipv4', { ip: '127.0.0.1' }).then(
        () => true,
        () => false,
      ),
    {
      deadlineMs: 20_000,
      what: 'the names to be managed',
    },
  )
  const agent = new Agent({ keepAlive: true, ca: authority.certificate })
  undo.defer(() => agent.destroy())
  const proxy = await startProxy(own, async (request, response) => {
    const what = `${request.method} ${request.url}`
    asked.push(what)
    const instead = await pebble.instead(what)
    if (!instead) return forward(request, response, { port, agent })
    response.writeHead(instead.status, { 'content-type': 'application/problem+json', ...instead.headers })
    response.end(JSON.stringify(instead.body ?? {}))
  })
  undo.defer(async () => await proxy.end())
  const stack = undo.move()
  return Object.assign(pebble, {
    directory: `https://localhost:${proxy.port}/dir`,
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  })
}

function startProgram(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): () => Promise<void> {
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } })
  child.on('error', (cause) => {
    throw new Error(`${program} cannot be started (scripts/setup --test installs it)`, { cause })
  })
  return async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
    child.kill('SIGKILL')
    await ended
  }
}

async function startProxy(
  { certificate, key }: Issued,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
) {
  const server = createServer(
    { cert: certificate, key },
    (request, response) => void answer(request, response),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async end() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** With the name by which it was asked: the authority makes its addresses of that. */
function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { port, agent }: { port: number; agent: Agent },
): void {
  const { method, url, headers } = request
  const to = { host: '127.0.0.1', servername: 'localhost', port, agent }
  const onward = requestByTls({ ...to, path: url!, method: method!, headers }, (reply) => {
    response.writeHead(reply.statusCode ?? 502, reply.headers)
    reply.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
}

async function fetchText(port: number, path: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  requestByTls({ host: '127.0.0.1', port, path, ca, servername: 'localhost', agent: false }, resolve)
    .on('error', reject)
    .end()
  return (await (await promise).setEncoding('utf8').toArray()).join('')
}
