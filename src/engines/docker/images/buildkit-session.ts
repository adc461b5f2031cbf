import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, ServerHttp2Session } from 'node:http2'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { RegistryLogin } from '../../../domain/registry.ts'
import { bytesAt, bytesField, readFields, textAt } from '../../../lib/protobuf.ts'
import { createSshAgent } from '../../../lib/ssh-agent.ts'
import type { SshKey } from '../../../lib/ssh-key.ts'
import { tarEnd } from '../../../lib/tar-blocks.ts'
import type { DockerClient } from '../client.ts'
import { loginFor } from './registry-logins.ts'
import { syncFolder, type OpenFolder } from './file-sync.ts'
import { serveGrpc, type Flow, type GrpcCalls } from './grpc-calls.ts'

/** The client's side of a BuildKit build; the engine asks it for what it cannot know. */
export interface BuildKitSession extends Disposable {
  id: string
  /** Why a folder could not be read to its end: the engine knows only that it was not. */
  broken(): unknown
}

/** What steps of a build may ask for, by the ids of their mounts: it is in no layer, and nowhere else on the machine. */
export interface SessionAnswers {
  secrets: ReadonlyMap<string, Uint8Array>
  /** Each is behind an agent of its own, which signs with it and does not give it. */
  keys: ReadonlyMap<string, SshKey>
  /** By which base images are pulled. */
  logins: RegistryLogin[]
  /** Read by the build itself, for one that takes no tar; by the names that BuildKit has for them. */
  folders: ReadonlyMap<string, OpenFolder>
}

/**
 * Opens a session, without which newer engines refuse to pull base images. It says that it is well, gives secrets and
 * logins, and signs with keys.
 *
 * @see https://github.com/moby/buildkit/blob/master/session/grpc.go
 */
export async function openBuildKitSession(
  docker: DockerClient,
  answers: SessionAnswers,
  control: Control,
): Promise<BuildKitSession> {
  const id = randomUUID()
  let broken: unknown
  const calls = callsOf(answers, (error) => (broken ??= error))
  const methods = [calls.unary, calls.stream, calls.flow].flatMap((some) => Object.keys(some))
  const headers = {
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'rack',
    // BuildKit keeps a folder by this key, and takes a file of the same size and time for the same: no build shares one.
    'X-Docker-Expose-Session-Sharedkey': id,
    'X-Docker-Expose-Session-Grpc-Method': methods,
  }
  const socket = await docker.upgrade({ method: 'POST', path: '/session', headers }, control)
  // Loaded by the first build: 5 MB that an idle daemon need not hold.
  const { performServerHandshake } = process.getBuiltinModule('node:http2')
  const server: ServerHttp2Session = performServerHandshake(socket)
  serveGrpc(server, calls)
  // A session that breaks ends its build, which says so.
  server.on('error', () => socket.destroy())
  return {
    id,
    broken: () => broken,
    [Symbol.dispose]() {
      server.destroy()
      socket.destroy()
    },
  }
}

/** `status: SERVING`. */
const serving = Buffer.from([0x08, 0x01])

/**
 * @see https://github.com/moby/buildkit/blob/master/session/auth/auth.proto
 * @see https://github.com/moby/buildkit/blob/master/session/secrets/secrets.proto
 * @see https://github.com/moby/buildkit/blob/master/session/sshforward/ssh.proto
 * @see https://github.com/moby/buildkit/blob/master/session/filesync/filesync.proto
 */
function callsOf(
  { secrets, keys, logins, folders }: SessionAnswers,
  onBroken: (error: unknown) => void,
): GrpcCalls {
  const keyOf = (id: string) => foundIn(keys, id || 'default')
  return {
    unary: {
      '/grpc.health.v1.Health/Check': () => serving,
      // Without a login it pulls as anybody may.
      '/moby.filesync.v1.Auth/Credentials': (request) => {
        const login = loginFor(textAt(readFields(request), 1), logins)
        if (!login) return Buffer.alloc(0)
        return Buffer.concat([bytesField(1, login.username), bytesField(2, login.password)])
      },
      '/moby.buildkit.secrets.v1.Secrets/GetSecret': (request) =>
        bytesField(1, foundIn(secrets, textAt(readFields(request), 1))),
      '/moby.sshforward.v1.SSH/CheckAgent': (request) => {
        keyOf(textAt(readFields(request), 1))
        return Buffer.alloc(0)
      },
    },
    flow:
      folders.size === 0
        ? {}
        : { '/moby.filesync.v1.FileSync/DiffCopy': (headers) => syncOf(headers, folders, onBroken) },
    stream: {
      '/moby.sshforward.v1.SSH/ForwardAgent': (headers) => {
        const agent = createSshAgent(keyOf(String(headers['buildkit.ssh.id'] ?? '')))
        return (message) => {
          const [bytes = Buffer.alloc(0)] = bytesAt(readFields(message), 1)
          const answer = agent.push(bytes)
          return answer.length === 0 ? answer : bytesField(1, answer)
        }
      },
    },
  }
}

/** What a context leaves out was left out before: BuildKit, which looks for rules of that, shall find none. */
function syncOf(
  headers: IncomingHttpHeaders,
  folders: SessionAnswers['folders'],
  onBroken: (error: unknown) => void,
): Flow {
  const open = foundIn(folders, String(headers['dir-name'] ?? ''))
  const asked = [headers['followpaths'], headers['include-patterns']].flatMap((list) =>
    list === undefined ? [] : String(list).split(', '),
  )
  const asksForRules = asked.length > 0 && asked.every((path) => path.endsWith('.dockerignore'))
  const flow = syncFolder(asksForRules ? emptyTar : open)
  return { ...flow, output: watched(flow.output, onBroken) }
}

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield tarEnd()
}

async function* watched<T>(items: AsyncIterable<T>, onBroken: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    onBroken(error)
    throw error
  }
}

function foundIn<T>(answers: ReadonlyMap<string, T>, id: string): T {
  const found = answers.get(id)
  if (found !== undefined) return found
  throw new RackError('not-found', `there is no "${id}"`)
}
