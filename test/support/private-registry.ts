import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { pullHeaders } from '../../src/engines/docker/images/registry-logins.ts'
import { controlFor } from './docker-rack.ts'
import { startDockerRegistry } from './docker-registry.ts'

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
  await writeFile(join(directory, 'passwords'), passwords)
  const auth = { htpasswd: { realm: 'images', path: join(directory, 'passwords') } }
  const { host } = undo.use(await startDockerRegistry({ directory, ready: 401, auth }))
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
