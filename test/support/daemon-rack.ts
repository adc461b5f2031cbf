import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../src/client/client.ts'
import type { Client } from '../../src/client/client-types.ts'
import { createRouter } from '../../src/router/create-router.ts'
import type { Router } from '../../src/router/router.ts'
import { answersHealth } from '../../src/host/daemon.ts'
import { removeFirewall } from '../../src/host/firewall.ts'
import {
  installationPaths,
  writeInstallation,
  type MachineInstallation,
} from '../../src/host/installation.ts'
import { until } from '../../src/lib/poll.ts'
import { unixUrl } from '../../src/lib/unix-url.ts'
import { identifyProcess } from '../../src/lib/process-identity.ts'
import { controlFor } from './docker-rack.ts'
import { freePort } from './installed-rack.ts'
import { upload } from './upload.ts'

const program = fileURLToPath(new URL('../../src/main/daemon.ts', import.meta.url))

/** A rack with a real daemon, whose processes a test may kill. */
export interface DaemonRack extends AsyncDisposable {
  installation: MachineInstallation
  client: Client
  /** The daemon's pid; null while it does not run. */
  pid(): number | null
  /** Settles when its API answers. */
  start(): Promise<void>
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** The pid of the router's master. */
  routerPid(): Promise<number>
  build(app: string, files: Record<string, string>): Promise<string>
  promote(app: string, release: string): Promise<void>
  /** Builds and promotes; resolves to the release. */
  deploy(app: string, files: Record<string, string>): Promise<string>
  /** What the router's files say: addresses of the copies behind an app. */
  routedAddresses(app: string): Promise<string[]>
  /** Rows of a table of the store, as they are on the disk. */
  rows(sql: string, ...values: string[]): Record<string, unknown>[]
  /** The last lines of the daemon's log. */
  log(): Promise<string>
}

interface Options {
  socketPath: string
  /** Where the rack's directory is made; a folder of its own when absent. */
  parent?: string
  /** Modules that the daemon's Node loads before anything else, and what they find in its environment. */
  preload?: { modules: string[]; environment: Record<string, string> }
}

/** Starts a rack on an engine, under a name and ports of this run's own. */
export async function startDaemonRack({
  socketPath,
  parent = tmpdir(),
  preload = { modules: [], environment: {} },
}: Options): Promise<DaemonRack> {
  const directory = await mkdtemp(join(parent, 'rack-daemon-'))
  const paths = installationPaths(directory)
  const token = randomBytes(16).toString('hex')
  const http = await freePort()
  const installation: MachineInstallation = {
    name: `t-${randomBytes(4).toString('hex')}`,
    directory,
    socket: { path: join(directory, 'api.sock'), group: null },
    http: { bind: '127.0.0.1', port: http },
    domain: 'localhost',
    pool: { cidr: `10.${100 + (randomBytes(1)[0]! % 100)}.0.0/16`, subnetBits: 24 },
    total: { cpuUnits: 4096, memoryBytes: 4 * 2 ** 30 },
    socketPath,
    created: new Date().toISOString(),
  }
  await writeInstallation(installation)
  await mkdir(paths.tokens)
  await writeFile(join(paths.tokens, 'test.sha256'), createHash('sha256').update(token).digest('hex'))
  const client = createClient({ url: unixUrl(installation.socket.path), token })
  const router = createRouter({ directory: paths.router, httpBind: '127.0.0.1', httpPort: http })
  const daemon = startable(installation, preload)
  const build: DaemonRack['build'] = async (app, { 'docker-compose.yml': compose = '', ...files }) => {
    const lines = client.buildApp({ params: { app }, content: upload(compose, files) })
    return (await resultOf(lines)).release
  }
  const promote: DaemonRack['promote'] = async (app, release) => {
    await resultOf(client.promoteRelease({ params: { app, release } }))
  }
  const rack: DaemonRack = {
    installation,
    client,
    ...daemon,
    build,
    promote,
    async deploy(app, files) {
      const release = await build(app, files)
      await promote(app, release)
      return release
    },
    async routerPid() {
      const { pid } = await router.status(controlFor(10_000))
      assert.ok(pid, 'the router does not run')
      return pid
    },
    routedAddresses: (app) => readRoutes(paths.router, installation, app),
    rows: (sql, ...values) => readRows(join(paths.store, 'store.sqlite'), sql, values),
    log: async () => (await readFile(paths.log, 'utf8')).split('\n').slice(-40).join('\n'),
    async [Symbol.asyncDispose]() {
      await daemon.end('SIGTERM')
      await stopRouter(router)
      await removeFirewall(installation, controlFor(10_000))
      await rm(directory, { recursive: true, force: true })
    },
  }
  await rack.start()
  return rack
}

function startable(
  installation: MachineInstallation,
  { modules, environment }: NonNullable<Options['preload']>,
): Pick<DaemonRack, 'pid' | 'start' | 'end'> {
  const { directory } = installation
  const imports = modules.flatMap((path) => ['--import', path])
  let child: ChildProcess | null = null
  return {
    pid: () => child?.pid ?? null,
    async start() {
      await using log = await open(installationPaths(directory).log, 'a')
      child = spawn(process.execPath, [...imports, program, '--dir', directory], {
        detached: true,
        env: { ...process.env, ...environment },
        stdio: ['ignore', log.fd, log.fd],
      })
      await once(child, 'spawn')
      const what = () => `the daemon; see ${directory}/daemon.log`
      await until(
        () => {
          assert.equal(child?.exitCode ?? child?.signalCode ?? null, null, what())
          return answersHealth(installation)
        },
        { deadlineMs: 30_000, what },
      )
    },
    async end(signal) {
      const ending = child
      child = null
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
      const ended = once(ending, 'exit')
      ending.kill(signal)
      await ended
    },
  }
}

/** Reads a stream of progress to its result. */
export async function resultOf<R>(
  lines: AsyncIterable<{ type: string } | { type: 'result'; result: R }>,
): Promise<R> {
  for await (const line of lines) if (line.type === 'result' && 'result' in line) return line.result
  throw new Error('the stream has no result')
}

async function readRoutes(directory: string, { http }: MachineInstallation, app: string): Promise<string[]> {
  // A reader of its own: another one remembers what it has read.
  const reader = createRouter({ directory, httpBind: http.bind, httpPort: http.port })
  const routes = (await reader.routes()).find((each) => each.app === app)
  const backends = [...(routes?.http ?? []), ...(routes?.tcp ?? [])].map(({ backend }) => backend)
  return backends.flatMap(({ servers }) => servers.map(({ address }) => address)).sort()
}

function readRows(path: string, sql: string, values: string[]): Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare(sql).all(...values)
  } finally {
    database.close()
  }
}

async function stopRouter(router: Router): Promise<void> {
  await router.stop(controlFor(20_000))
}

/** Kills a process and settles when nothing of it runs. */
export async function killProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await until(async () => (await identifyProcess(pid)) === null, {
    deadlineMs: 5000,
    what: `the end of ${pid}`,
  })
}
