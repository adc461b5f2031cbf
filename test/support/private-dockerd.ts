import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectDocker, type DockerClient } from '../../src/engines/docker/client.ts'
import { until } from '../../src/lib/poll.ts'
import { identifyProcess } from '../../src/lib/process-identity.ts'
import { dockerSocket } from './docker-rack.ts'

/** A Docker Engine that a test may stop and kill, with containers, images and networks of its own. */
export interface PrivateDockerd extends AsyncDisposable {
  directory: string
  socketPath: string
  docker: DockerClient
  /** Settles when it answers. */
  start(): Promise<void>
  /** Settles when nothing of the daemon runs any more: containers stop with SIGTERM, and live on with SIGKILL. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Copies an image from the shared engine; resolves to its id. */
  load(image: string): Promise<string>
}

const execute = promisify(execFile)
let bridges = 0

interface Options {
  /** Where images and containers lie; a folder of its own when absent. */
  dataRoot?: string
  /** Containers live on while it is away. */
  liveRestore?: boolean
}

/** Starts an engine beside the shared one, whose bridges and firewall rules it leaves alone. */
export async function startPrivateDockerd({
  dataRoot,
  liveRestore = false,
}: Options = {}): Promise<PrivateDockerd> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-dockerd-'))
  const socketPath = join(directory, 'docker.sock')
  const docker = connectDocker({ socketPath })
  const bridge = await addBridge()
  let child: ChildProcess | null = null

  const start = async () => {
    await clearPidFiles(directory)
    const places = { directory, dataRoot: dataRoot ?? join(directory, 'data') }
    child = await launch(places, { bridge, 'live-restore': String(liveRestore) })
    const log = () => `${directory}/dockerd.log`
    await until(
      async () => {
        assert.equal(child?.exitCode, null, `dockerd ended; see ${log()}`)
        return await docker
          .json({ path: '/version' }, { signal: AbortSignal.timeout(5000) })
          .catch(() => null)
      },
      { deadlineMs: 60_000, what: () => `dockerd; see ${log()}` },
    )
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const ending = child
    child = null
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = once(ending, 'exit')
    ending.kill(signal)
    await ended
  }
  await start()
  return {
    directory,
    socketPath,
    docker,
    start,
    end,
    load: (image) => copyImage(docker, image),
    async [Symbol.asyncDispose]() {
      if (!child) await start()
      await removeAll(docker)
      await end('SIGTERM')
      await endLeftovers(directory)
      await unmountAll(directory)
      await execute('ip', ['link', 'delete', bridge])
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}

/** `--bridge none` would do, but takes the shared engine's `docker0` off the machine. */
async function addBridge(): Promise<string> {
  const name = `rkd${process.pid}-${bridges++}`
  await execute('ip', ['link', 'add', name, 'type', 'bridge'])
  await execute('ip', ['address', 'add', `10.201.${(process.pid + bridges) % 250}.1/24`, 'dev', name])
  await execute('ip', ['link', 'set', name, 'up'])
  return name
}

async function launch(
  { directory, dataRoot }: { directory: string; dataRoot: string },
  own: { bridge: string; 'live-restore': string },
): Promise<ChildProcess> {
  // What the machine's engine is told in its file may not be told again by a flag: this one has a file of its own.
  const settings = join(directory, 'daemon.json')
  await writeFile(settings, '{}')
  const flags = Object.entries({
    ...own,
    'config-file': settings,
    'data-root': dataRoot,
    'exec-root': join(directory, 'exec'),
    host: `unix://${join(directory, 'docker.sock')}`,
    pidfile: join(directory, 'docker.pid'),
    'shutdown-timeout': '5',
    // Two engines that both write firewall rules would empty each other's chains.
    iptables: 'false',
    ip6tables: 'false',
    'ip-masq': 'false',
    'userland-proxy': 'false',
  }).map(([name, value]) => `--${name}=${value}`)
  await using log = await open(join(directory, 'dockerd.log'), 'a')
  // It may not outlive a test that is killed.
  const args = ['--pdeathsig', 'TERM', 'dockerd', ...flags]
  const child = spawn('setpriv', args, { stdio: ['ignore', log.fd, log.fd], detached: true })
  await once(child, 'spawn')
  return child
}

/** A killed containerd is a zombie for a while, and its number in the pid file keeps a new one from starting. */
async function clearPidFiles(directory: string): Promise<void> {
  const containerd = join(directory, 'exec/containerd/containerd.pid')
  const noted = Number(await readFile(containerd, 'utf8').catch(() => '0'))
  await until(async () => (await identifyProcess(noted)) === null, {
    deadlineMs: 10_000,
    what: 'the end of containerd',
  })
  for (const file of [containerd, join(directory, 'docker.pid')]) await rm(file, { force: true })
}

async function copyImage(docker: DockerClient, image: string): Promise<string> {
  const control = { signal: AbortSignal.timeout(120_000) }
  const shared = connectDocker({ socketPath: dockerSocket })
  const upload = await shared.stream({ path: `/images/${image}/get`, deadlineMs: null }, control)
  await docker.json({ method: 'POST', path: '/images/load', upload, deadlineMs: null }, control)
  const { Id } = await docker.json<{ Id: string }>({ path: `/images/${image}/json` }, control)
  return Id
}

/** Bridges and mounts would stay on the machine. */
async function removeAll(docker: DockerClient): Promise<void> {
  const control = { signal: AbortSignal.timeout(60_000) }
  const query = { all: true }
  for (const { Id } of await docker.json<{ Id: string }[]>({ path: '/containers/json', query }, control)) {
    await docker.json(
      { method: 'DELETE', path: `/containers/${Id}`, query: { force: true, v: true } },
      control,
    )
  }
  for (const { Id, Name, Driver } of await docker.json<{ Id: string; Name: string; Driver: string }[]>(
    { path: '/networks' },
    control,
  )) {
    if (Driver === 'bridge' && Name !== 'bridge')
      await docker.json({ method: 'DELETE', path: `/networks/${Id}` }, control)
  }
}

/** Shims of a killed engine that its successor did not take over. */
async function endLeftovers(directory: string): Promise<void> {
  for (const name of await readdir('/proc')) {
    const found = await identifyProcess(Number(name))
    if (found?.commandLine.includes(directory) && found.pid !== process.pid)
      process.kill(found.pid, 'SIGKILL')
  }
}

/** A killed engine leaves the mounts of its containers, and the one of its folder. */
async function unmountAll(directory: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  const points = table.split('\n').flatMap((line) => line.split(' ')[4] ?? [])
  for (const point of points.filter((path) => path.startsWith(`${directory}/`)).reverse()) {
    const [code] = (await once(spawn('umount', ['--lazy', point], { stdio: 'ignore' }), 'exit')) as [number]
    assert.equal(code, 0, `umount ${point}`)
  }
}
