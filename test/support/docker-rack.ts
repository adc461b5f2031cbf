import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Control } from '../../src/domain/control.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createDockerEngine } from '../../src/engines/docker/docker-engine.ts'
import type { DockerEngineOptions } from '../../src/engines/docker/parts.ts'
import { createNameTable } from '../../src/host/name-table.ts'
import { dockerSocket as socketOf } from '../../src/lib/docker-socket.ts'
import { createRouter } from '../../src/router/create-router.ts'
import { createMemoryAddresses } from './memory-addresses.ts'

export const dockerSocket = socketOf(process.env)

/** A control that ends by itself. */
export function controlFor(ms: number): Control {
  return { signal: AbortSignal.timeout(ms), report: () => undefined }
}

/**
 * A Docker engine with a router of its own, under a name that no other run has.
 * @param hasNames whether this machine takes rules for names
 */
export async function openDockerRack({ socketPath = dockerSocket, hasNames = true } = {}) {
  const rack = `t-${randomBytes(4).toString('hex')}`
  const directory = await mkdtemp(join(tmpdir(), 'rack-'))
  const docker = connectDocker({ socketPath })
  const httpPort = await freePort()
  const router = createRouter({ directory: join(directory, 'router'), httpBind: '127.0.0.1', httpPort })
  const addresses = createMemoryAddresses()
  const total = { cpuUnits: 64 * 1024, memoryBytes: 64 * 2 ** 30 }
  const troubles: unknown[] = []
  // A range of its own for each run: two runs at once see each other's networks and step aside.
  const pool = { cidr: `10.${100 + (randomBytes(1)[0]! % 100)}.0.0/16`, subnetBits: 24 }
  const racks = new Set<string>()
  const open = (more: Partial<DockerEngineOptions> = {}) => {
    const name = more.rack ?? rack
    racks.add(name)
    return createDockerEngine({
      docker,
      router,
      addresses,
      rack,
      directory: join(directory, 'engine'),
      total,
      pool,
      ...(hasNames && { nameTable: createNameTable({ name, pool }) }),
      outside: { domain: 'localhost', httpPort },
      randomBytes,
      tcpBind: '127.0.0.1',
      onTrouble: (error) => troubles.push(error),
      ...more,
    })
  }
  await router.start(controlFor(20_000))
  const engine = open()
  return {
    rack,
    directory,
    docker,
    router,
    engine,
    httpPort,
    addresses,
    troubles,
    /** The same rack as a daemon that was started again sees it, or one whose calls of Docker are a test's. */
    reopen: open,
    image: async (name: string): Promise<string> => {
      const { Id } = await docker.json<{ Id: string }>({ path: `/images/${name}/json` }, controlFor(10_000))
      return Id
    },
    /** Removes all that the rack made; what fails is thrown when the rest is done. */
    close: async () => {
      const control = controlFor(60_000)
      await using stack = new AsyncDisposableStack()
      stack.defer(() => rm(directory, { recursive: true, force: true }))
      stack.defer(() => router.stop(control))
      stack.defer(async () => {
        for (const name of racks) await createNameTable({ name, pool }).remove(control)
      })
      stack.defer(() => engine.close())
      stack.defer(async () => {
        await engine.sweep({ owners: [], images: [], buildCache: false, volumes: true }, control)
      })
    },
  }
}

/** A port of the loopback address on which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  const closed = Promise.withResolvers<void>()
  server.close(() => closed.resolve())
  await closed.promise
  return typeof address === 'object' && address ? address.port : 0
}
