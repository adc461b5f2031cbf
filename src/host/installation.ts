import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { Policy } from '../domain/policy.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'

/** One rack on this machine, as `rack install` wrote it to `<directory>/rack.json`. Holds no secret. */
export interface Installation {
  name: string
  directory: string
  /** The rack's API, on loopback only. */
  api: { host: string; port: number }
  /** Where the router listens for http. */
  http: { bind: string; port: number }
  /** Apps are reached as `<app>.<domain>`. */
  domain: string
  /** Addresses for the apps' networks: one subnet of `subnetBits` each. */
  pool: { cidr: string; subnetBits: number }
  /** What the rack may give to processes; the reserve is taken off already. */
  total: { cpuUnits: number; memoryBytes: number }
  /** Docker Engine's socket. */
  socketPath: string
  /** The largest source that is taken; 2 GiB unless it is said here. */
  limits?: { sourceBytes?: number }
  /** What processes may have of this machine; nothing unless it is said here. The daemon changes it. */
  policy?: Policy
  created: string
}

/** Where things lie in a rack's directory. */
export function installationPaths(directory: string) {
  return {
    configuration: join(directory, 'rack.json'),
    pid: join(directory, 'daemon.pid'),
    log: join(directory, 'daemon.log'),
    /** Variables of the daemon that hold secrets, such as the URL of its database. */
    environment: join(directory, 'daemon.env'),
    /** Hashes of tokens that an install made; the daemon takes them into the store. */
    tokens: join(directory, 'tokens'),
    key: join(directory, 'rack.key'),
    store: join(directory, 'store'),
    objects: join(directory, 'objects'),
    engine: join(directory, 'engine'),
    router: join(directory, 'router'),
  }
}

/** @throws not-found when there is no rack in the directory; host-failed when its file is damaged */
export async function readInstallation(directory: string): Promise<Installation> {
  const { configuration } = installationPaths(directory)
  try {
    return JSON.parse(await readFile(configuration, 'utf8')) as Installation
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new RackError('not-found', `there is no rack in ${directory}`, {
        hint: 'rack install',
        cause: error,
      })
    }
    throw new RackError('host-failed', `${configuration} cannot be read`, { cause: error })
  }
}

export async function writeInstallation(installation: Installation): Promise<void> {
  const { configuration } = installationPaths(installation.directory)
  await writeFileAtomically(configuration, `${JSON.stringify(installation, null, 2)}\n`, { mode: 0o600 })
}
