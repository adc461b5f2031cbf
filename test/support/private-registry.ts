import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../src/lib/poll.ts'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { pullHeaders } from '../../src/engines/docker/images/registry-logins.ts'
import { controlFor } from './docker-rack.ts'
import { freePort } from './installed-rack.ts'

/** The registry that Docker's own project publishes, with one login. */
export interface PrivateRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, which engines speak to without TLS. */
  host: string
  username: string
  password: string
  /** Puts an image of the engine there. */
  push(docker: DockerClient, image: string, name: string): Promise<void>
}

const login = { username: 'shop', password: 's3cret-4711-registry' }
/** Of the password, by bcrypt, which is all that the registry takes. */
const passwords = `${login.username}:$2y$05$abcdefghijklmnopqrstuu/afkwhTdufN/A5rbgluFm0H/tt0M1nu\n`

/** Starts a registry of Debian's package `docker-registry`, with a folder of its own. */
export async function startPrivateRegistry(): Promise<PrivateRegistry> {
  await using undo = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'rack-registry-'))
  undo.defer(async () => await rm(directory, { recursive: true, force: true }))
  const host = `127.0.0.1:${await freePort()}`
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(directory, 'images') } },
    http: { addr: host },
    auth: { htpasswd: { realm: 'images', path: join(directory, 'passwords') } },
  }
  await writeFile(join(directory, 'passwords'), passwords)
  // JSON is YAML.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' })
  undo.defer(async () => {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
    child.kill('SIGKILL')
    await ended
  })
  await once(child, 'spawn')
  const answers = async () => (await fetch(`http://${host}/v2/`).catch(() => null))?.status === 401
  await until(answers, { deadlineMs: 30_000, what: 'the registry to answer' })
  const stack = undo.move()
  return {
    host,
    ...login,
    push: async (docker, image, name) => await push(docker, image, `${host}/${name}`),
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  }
}

async function push(docker: DockerClient, image: string, name: string): Promise<void> {
  const at = name.lastIndexOf(':')
  const [repo, tag] = [name.slice(0, at), name.slice(at + 1)]
  const control = controlFor(60_000)
  await docker.json({ method: 'POST', path: `/images/${image}/tag`, query: { repo, tag } }, control)
  const headers = pullHeaders(name, [{ host: name.slice(0, name.indexOf('/')), ...login }])
  const request = { method: 'POST', path: `/images/${repo}/push`, query: { tag }, headers } as const
  let said = ''
  for await (const chunk of await docker.stream(request, control)) said += String(chunk)
  if (said.includes('"error"')) throw new Error(`the push of ${name} failed: ${said}`)
  await docker.json({ method: 'DELETE', path: `/images/${name}` }, control)
}
