import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../src/lib/poll.ts'
import { freePort } from './docker-rack.ts'

/** Debian's `docker-registry`, that runs until it is disposed. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  host: string
}

interface RegistryOptions {
  /** Where its configuration and images lie; whoever starts it removes it. */
  directory: string
  /** What it answers at its root once it is there. */
  ready: number
  http?: object
  auth?: object
}

/** Starts one on a free port of the loopback, and waits until it answers. */
export async function startDockerRegistry(options: RegistryOptions): Promise<DockerRegistry> {
  const { directory, ready, http = {}, auth } = options
  await using undo = new AsyncDisposableStack()
  const host = `127.0.0.1:${await freePort()}`
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(directory, 'images') } },
    http: { addr: host, ...http },
    ...(auth && { auth }),
  }
  // JSON is YAML.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' })
  undo.defer(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
    child.kill('SIGKILL')
    await ended
  })
  await once(child, 'spawn')
  const answers = async () => (await fetch(`http://${host}/v2/`).catch(() => null))?.status === ready
  await until(answers, { deadlineMs: 30_000, what: 'the registry to answer' })
  const stack = undo.move()
  return { host, [Symbol.asyncDispose]: async () => await stack.disposeAsync() }
}
