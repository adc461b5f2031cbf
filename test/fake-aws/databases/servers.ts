import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { until } from '../../../src/lib/poll.ts'
import { connectToDocker, labelsOf, removeObject } from '../ecs/task-network.ts'
import type { FakeAccount } from '../fake-service.ts'
import type { TaskNetwork } from '../links.ts'

export interface RunningServer {
  /** In the network of the tasks. */
  address: string
  /** Ends its sessions, and settles when it answers again, maybe at another address. */
  restart(): Promise<void>
  /** Runs a command in it. @throws Error for one that ends badly */
  run(command: string[]): Promise<void>
  remove(): Promise<void>
}

export interface WantedServer {
  /** Of Docker: `postgres:15`. */
  image: string
  environment: Record<string, string>
  /** The image's own when absent. */
  command?: string[]
  /** What lies at a path of its container, which reads it alone. */
  files: Record<string, string>
  /** The user of the image, where it reads no key that others could read. */
  user?: number
  answers: (address: string) => Promise<boolean>
}

/** This machine may be busy with many. */
const startMs = 120_000

/** A real server in a container of its own, beside the tasks; it answers when this settles. */
export async function startServer(
  { run, directory }: Pick<FakeAccount, 'run' | 'directory'>,
  network: TaskNetwork,
  { image, environment, command, files, user, answers }: WantedServer,
): Promise<RunningServer> {
  const docker = connectToDocker()
  const control = { signal: AbortSignal.timeout(startMs) }
  const id = randomBytes(4).toString('hex')
  const folder = join(directory, 'databases', id)
  await mkdir(folder, { recursive: true })
  const binds = Object.entries(files).map(async ([path, content]) => {
    const own = join(folder, basename(path))
    await writeFile(own, content)
    if (user !== undefined && path.endsWith('.key')) {
      await chmod(own, 0o600)
      await chown(own, user, user)
    }
    return `${own}:${path}:ro`
  })
  const body = {
    Image: image,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(command && { Cmd: command }),
    Labels: await labelsOf(run),
    HostConfig: { NetworkMode: network.name, Binds: await Promise.all(binds) },
  }
  const created = {
    method: 'POST',
    path: '/containers/create',
    query: { name: `${run}-database-${id}` },
    body,
    deadlineMs: startMs,
  } as const
  const { Id } = await docker.json<{ Id: string }>(created, control)
  const start = async (verb: 'start' | 'restart') => {
    const own = { signal: AbortSignal.timeout(startMs) }
    await docker.json({ method: 'POST', path: `/containers/${Id}/${verb}`, deadlineMs: startMs }, own)
    const found = await docker.json<{
      NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
    }>({ path: `/containers/${Id}/json` }, own)
    const address = found.NetworkSettings.Networks[network.name]!.IPAddress
    const isThere = async () => await answers(address)
    await until(isThere, { deadlineMs: startMs, intervalMs: 200, what: 'a database to answer' })
    return address
  }
  const server: RunningServer = {
    address: await start('start'),
    restart: async () => {
      server.address = await start('restart')
    },
    run: async (command) => {
      const own = { signal: AbortSignal.timeout(startMs) }
      const asked = { method: 'POST', path: `/containers/${Id}/exec`, body: { Cmd: command } } as const
      const begun = await docker.json<{ Id: string }>(asked, own)
      await docker.json({ method: 'POST', path: `/exec/${begun.Id}/start`, body: { Detach: true } }, own)
      const ended = async () => {
        const path = `/exec/${begun.Id}/json`
        const { Running, ExitCode } = await docker.json<{ Running: boolean; ExitCode: number | null }>(
          { path },
          own,
        )
        return !Running && ExitCode !== null && { ExitCode }
      }
      const what = `${command[0]} to end`
      const { ExitCode } = await until(ended, { deadlineMs: startMs, intervalMs: 200, what })
      if (ExitCode !== 0) throw new Error(`${command[0]} ended with ${ExitCode}`)
    },
    remove: async () => await removeObject(docker, `/containers/${Id}?force=1&v=1`),
  }
  return server
}
