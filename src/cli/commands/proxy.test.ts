import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { Duplex } from '../../domain/engine.ts'
import { until } from '../../lib/poll.ts'
import type { Operations } from '../../operations/operations.ts'
import { appOwner } from '../../domain/owner.ts'
import { connectTo, mirrorStatus } from '../../../test/support/memory-connect.ts'
import type { MemoryCopy } from '../../../test/support/memory-copy.ts'
import { serveOperations, tokens } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'
import { runCli } from '../run-cli.ts'
import type { World } from '../world.ts'

const copies = [
  {
    process: { id: 'PAAAAAAAAAA' },
    plan: { type: 'redis', aliases: ['cache'] },
    names: ['redis', 'cache'],
    listening: new Map([[6379, { status: mirrorStatus, text: '' }]]),
  },
] as unknown as MemoryCopy[]

const mirroring: Partial<Operations> = {
  listProcesses: async () => [],
  connectInside: async (app, address) => connectTo(copies, { owner: appOwner(app), ...address }),
}

/** Runs `rack proxy` until it is interrupted, against a rack of scripted verbs. */
async function startProxy(args: string[], operations: Partial<Operations>) {
  const rack = await serveOperations(operations)
  let interrupt = () => {}
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  let said = ''
  stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const world: World = {
    args: ['proxy', '--json', '--app', 'guestbook', ...args],
    env: { XDG_CONFIG_HOME: '/nowhere', RACK_URL: rack.url, RACK_TOKEN: tokens.write },
    cwd: '/nowhere',
    stdin: Readable.from([]) as unknown as World['stdin'],
    stdout: stdout as unknown as World['stdout'],
    stderr: stderr as unknown as World['stderr'],
    version: '1.2.3',
    program: { node: process.execPath, script: '/nowhere/start.mjs' },
    onEnd: () => undefined,
    onInterrupt(listener) {
      interrupt = listener
      return () => undefined
    },
    onLeave: () => () => undefined,
    accountDoctor: () => Promise.reject(new Error('no account is looked at here')),
    restorer: () => Promise.reject(new Error('nothing is put back here')),
    sealing: () => Promise.reject(new Error('nothing is sealed here')),
  }
  const code = runCli(world)
  const ports = await until(
    () => {
      const found = [...said.matchAll(/"local":"127\.0\.0\.1:(\d+)"/g)].map(([, port]) => Number(port))
      return found.length === args.length && found
    },
    { deadlineMs: 10_000, what: () => `the proxy to listen: ${said}` },
  )
  return {
    ports,
    code,
    said: () => said,
    rack,
    interrupt: () => interrupt(),
    async [Symbol.asyncDispose]() {
      interrupt()
      await code
      await rack.close()
    },
  }
}

async function dial(port: number | undefined): Promise<Socket> {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

/** Settles when it is closed, with the error that closed it. */
async function closing(socket: Socket): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  let code: string | null = null
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? error.message))
  socket.on('close', () => resolve(code)).resume()
  return await promise
}

/** How a new connection ends that is not let in. */
const knock = async (port: number | undefined) =>
  await closing(connect({ port: port ?? 0, host: '127.0.0.1' }))

/** Whether a new connection is let in. */
async function mirrors(port: number | undefined): Promise<boolean> {
  try {
    const socket = await dial(port)
    socket.end('y')
    const got = await Array.fromAsync(socket as AsyncIterable<Buffer>)
    return Buffer.concat(got).toString() === 'y'
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNRESET')
    return false
  }
}

test('many connections at once, each with its own bytes, and each direction ends by itself', async () => {
  await using proxy = await startProxy(['0:redis:6379', '0:cache:6379'], mirroring)
  const exchange = async (at: number) => {
    const socket = await dial(proxy.ports[at % 2])
    const sent = randomBytes(50_000 + at)
    socket.end(sent)
    const got = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>))
    assert.ok(got.equals(sent))
  }
  await Promise.all(Array.from({ length: 50 }, (_, at) => exchange(at)))
  proxy.interrupt()
  assert.equal(await proxy.code, 0)
})

test('Ctrl-C ends what is open', async () => {
  await using proxy = await startProxy(['0:redis:6379'], mirroring)
  const socket = await dial(proxy.ports[0])
  socket.write('held')
  await once(socket, 'data')
  const closed = closing(socket)
  proxy.interrupt()
  assert.equal(await proxy.code, 0)
  assert.equal(await closed, 'ECONNRESET')
})

test('a host that is none of the app is refused before anything listens', async () => {
  const { code, stderr, stdout } = await typeCommand(['proxy', '-a', 'guestbook', '--json', '0:other:80'], {
    rack: mirroring,
  })
  assert.equal(code, 1)
  assert.match(stderr + stdout, /other is no process of guestbook: nothing else can be reached/)
  const address = await typeCommand(['proxy', '-a', 'guestbook', '0:169.254.169.254:80'], { rack: mirroring })
  assert.equal(address.code, 2)
})

test('a port that nothing listens on is told, and the proxy goes on', async () => {
  await using proxy = await startProxy(['0:redis:9', '0:redis:6379'], mirroring)
  assert.equal(await knock(proxy.ports[0]), 'ECONNRESET')
  assert.match(proxy.said(), /redis:9: nothing listens at redis:9 of guestbook/)
  const socket = await dial(proxy.ports[1])
  socket.end('still here')
  assert.equal(Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString(), 'still here')
})

test('a port that is taken says what to type', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const { code, stderr } = await typeCommand(['proxy', '-a', 'guestbook', `${port}:redis:6379`], {
    rack: mirroring,
  })
  taken.close()
  assert.equal(code, 1)
  assert.match(stderr, /is taken by another program\n→ Name another: rack proxy \d+:redis:6379/)
})

test('more connections than the bound are refused, and it is said once', async () => {
  await using proxy = await startProxy(['0:redis:6379'], mirroring)
  const sockets = await Promise.all(Array.from({ length: 200 }, () => dial(proxy.ports[0])))
  for (const socket of sockets) socket.on('error', () => undefined)
  await Promise.all(
    sockets.map(async (socket) => {
      socket.write('x')
      await once(socket, 'data')
    }),
  )
  for (let more = 0; more < 2; more++) assert.equal(await knock(proxy.ports[0]), 'ECONNRESET')
  assert.equal([...proxy.said().matchAll(/200 connections are open/g)].length, 1)
  sockets[0]?.end()
  await once(sockets[0]!, 'end')
  sockets[0]?.destroy()
  const again = await until(async () => await mirrors(proxy.ports[0]), { deadlineMs: 5000, what: 'a place' })
  assert.ok(again)
  for (const socket of sockets) socket.destroy()
})

test('a rack that goes away ends the proxy with an error', async () => {
  await using proxy = await startProxy(['0:redis:6379'], mirroring)
  const socket = await dial(proxy.ports[0])
  socket.on('error', () => undefined)
  socket.write('held')
  await once(socket, 'data')
  await proxy.rack.close()
  assert.equal(await proxy.code, 1)
  assert.match(proxy.said(), /unreachable/)
})

test('a connection that the process breaks is broken here, not ended', async () => {
  const breaking = (): Duplex => ({
    input: async () => undefined,
    end: () => undefined,
    output: (async function* () {
      yield Buffer.from('half of')
      throw new RackError('unreachable', 'the process broke the connection')
    })(),
    close: () => undefined,
  })
  await using proxy = await startProxy(['0:redis:6379'], {
    ...mirroring,
    connectInside: async () => breaking(),
  })
  const socket = await dial(proxy.ports[0])
  assert.equal(await closing(socket), 'ECONNRESET')
})
