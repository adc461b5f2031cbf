import { request } from 'node:http'
import { RackError } from '../domain/error.ts'

/** What Docker Engine says of itself. */
export interface EngineVersion {
  version: string
  /** The newest API that it speaks. */
  apiVersion: string
}

/** Engine 20.10. */
const oldestApi = '1.41'
const answerDeadlineMs = 10_000

/**
 * Asks Docker Engine for its version over its socket.
 * @throws engine-unavailable when it does not answer; unsupported when it is too old
 */
export async function checkEngine(socketPath: string): Promise<EngineVersion> {
  const text = await getOverSocket(socketPath, '/version')
  const { Version, ApiVersion } = JSON.parse(text) as Record<string, string | undefined>
  const found = {
    version: Version ?? '?',
    apiVersion: ApiVersion ?? '0',
  }
  if (apiNumber(found.apiVersion) >= apiNumber(oldestApi)) return found
  throw new RackError('unsupported', `Docker Engine ${found.version} is too old: 20.10 or newer is needed`, {
    details: found,
  })
}

/**
 * Whether containers live on while Docker Engine itself is restarted, as by an update of it.
 * @throws engine-unavailable when it does not answer
 */
export async function hasLiveRestore(socketPath: string): Promise<boolean> {
  const { LiveRestoreEnabled } = JSON.parse(await getOverSocket(socketPath, '/info')) as {
    LiveRestoreEnabled?: boolean
  }
  return LiveRestoreEnabled === true
}

/** `1.9` is older than `1.41`. */
function apiNumber(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major * 1000 + minor
}

async function getOverSocket(socketPath: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const signal = AbortSignal.timeout(answerDeadlineMs)
  const asked = request({ socketPath, path, signal }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.once('end', () => resolve(text))
    response.once('error', reject)
  })
  asked.once('error', reject)
  asked.end()
  return await promise.catch((cause: NodeJS.ErrnoException) => {
    throw engineUnavailable(socketPath, cause)
  })
}

function engineUnavailable(socketPath: string, cause: NodeJS.ErrnoException): RackError {
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such socket',
    EACCES: 'this user may not use it',
    ECONNREFUSED: 'nothing listens there',
  }
  const reason = reasons[cause.code ?? ''] ?? cause.message
  const hint =
    cause.code === 'EACCES'
      ? 'Be root, or join its group: usermod -aG docker $USER'
      : 'Install or start Docker Engine (in the clone of Rack: scripts/setup), or name its socket: --socket PATH'
  return new RackError('engine-unavailable', `Docker Engine does not answer at ${socketPath}: ${reason}`, {
    hint,
    cause,
  })
}
