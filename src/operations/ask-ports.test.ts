import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import type { Duplex } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { appOwner } from '../domain/owner.ts'
import { askPorts } from './ask-ports.ts'

/** Listens on a port of its own. */
async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A connection as an engine gives it. */
async function open({ port }: { port: number }): Promise<Duplex> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect').catch((cause: unknown) => {
    throw new RackError('unreachable', 'nothing listens', { cause })
  })
  return {
    input: async (chunk) => void socket.write(chunk),
    end: () => void socket.end(),
    output: socket,
    close: () => void socket.destroy(),
  }
}

const says = (word: string) => (socket: Socket) => void socket.on('error', () => undefined).write(word)

test('HTTP is noticed by its answer, and nothing else is taken for it', async () => {
  const servers: Record<string, Server> = {
    page: createHttpServer((_request, response) => void response.end('x'.repeat(100_000))),
    missing: createHttpServer((_request, response) => void response.writeHead(404).end()),
    wantsTls: createHttpServer((_request, response) => void response.writeHead(400).end()),
    greets: createServer(says('220 mail.example.com ready\r\n')),
    closes: createServer((socket) => void socket.destroy()),
    flood: createServer(says('\u0000'.repeat(1_000_000))),
    silent: createServer(),
  }
  const ports = await Promise.all(
    Object.entries(servers).map(async ([process, server]) => {
      const container = await listen(server)
      return { process, container, external: container }
    }),
  )
  const gone = createServer()
  const closed = await listen(gone)
  gone.close()
  const engine = { connect: open } as never
  const context = { engine, log: () => undefined }
  const control = { signal: new AbortController().signal, report: () => undefined }
  const all = [...ports, { process: 'gone', container: closed, external: closed }]
  const answers = await askPorts(context, appOwner('shop'), all, control)
  for (const server of Object.values(servers)) {
    server.close()
    if ('closeAllConnections' in server) (server as ReturnType<typeof createHttpServer>).closeAllConnections()
  }
  assert.deepEqual(Object.fromEntries(answers), {
    page: true,
    missing: true,
    wantsTls: false,
    greets: false,
    closes: false,
    flood: false,
    silent: false,
    gone: null,
  })
})
