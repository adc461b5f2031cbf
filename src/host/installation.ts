import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AwsPlaces } from '../domain/aws-places.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import { RackError } from '../domain/error.ts'
import type { Policy } from '../domain/policy.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { readTextIfThere } from '../lib/files.ts'
import { isMissing } from '../lib/missing.ts'
import { apiSocketPath } from './api-socket.ts'

/** A rack whose daemon runs on this machine, as an install wrote it to `<directory>/rack.json`. Holds no secret. */
export type Installation = MachineInstallation | AwsInstallation

/** What every rack has, wherever its processes run. */
interface RackInstallation {
  name: string
  directory: string
  /** The Unix socket of the rack's API, and the group whose members may use it too. */
  socket: { path: string; group: { name: string; id: number } | null }
  /** The API over TCP, on loopback only: off unless it was asked for. */
  api?: { host: string; port: number }
  /** Apps are reached as `<app>.<domain>`. */
  domain: string
  /** What the rack may give to processes; the reserve of a machine is taken off already. */
  total: { cpuUnits: number; memoryBytes: number }
  /** What processes may have of the machine; nothing unless it is said here. The store's from the first start on. */
  policy?: Policy
  created: string
}

/** A rack whose processes run in an AWS account, called as whom the daemon's environment says. */
export interface AwsInstallation extends RackInstallation {
  engine: 'aws'
  /** What the rack's stacks have made. */
  places: AwsPlaces
  limits?: Pick<Limits, 'sourceBytes'>
}

/** A rack whose processes run on this machine too. */
export interface MachineInstallation extends RackInstallation {
  engine?: undefined
  /** Where the router listens for http. */
  http: {
    bind: string
    port: number
    /** Addresses and networks of proxies in front, whose word on the client is believed; none unless it is said here. */
    trustedProxies?: string[]
  }
  /** Where the router serves http by TLS too, at the address of http; absent where it serves none. */
  https?: { port: number }
  /** False where the API is not served there, under the rack's domain. */
  apiByHttps?: boolean
  /** A program of this machine that puts records into the DNS, by which an authority knows whose a wildcard is. */
  acmeDnsHook?: string | undefined
  /** Where the router listens for external tcp ports; absent on a rack that is older than the choice. */
  tcp?: { bind: string }
  /** Addresses for the apps' networks: one subnet of `subnetBits` each. */
  pool: { cidr: string; subnetBits: number }
  /** Addresses for the names of process types, which no interface has; one of an earlier version names none. */
  names?: { cidr: string }
  /** Docker Engine's socket. */
  socketPath: string
  limits?: Limits
}

interface Limits {
  /** The largest source that is taken; 2 GiB unless it is said here. */
  sourceBytes?: number
  /** From outside at once, to all apps; what the limit of open files allows, at most 20,000, unless it is said here. */
  connections?: number
}

/** Where things lie in a rack's directory. */
export function installationPaths(directory: string) {
  return {
    configuration: join(directory, 'rack.json'),
    /** There while a restore has not filled the directory to its end. */
    unfinished: join(directory, 'unfinished'),
    pid: join(directory, 'daemon.pid'),
    log: join(directory, 'daemon.log'),
    /** Variables of the daemon that hold secrets, such as the URL of its database. */
    environment: join(directory, 'daemon.env'),
    /** Hashes of tokens that an install made; the daemon takes them into the store. */
    tokens: join(directory, 'tokens'),
    key: join(directory, 'rack.key'),
    store: join(directory, 'store'),
    /** How far the audit in the store has come: beside the rack's key. */
    auditHead: join(directory, 'audit.head'),
    /** What both held when another version took over last. */
    beforeUpdate: join(directory, 'before-update'),
    /** There while another version takes over. */
    handOver: join(directory, 'hand-over.json'),
    objects: join(directory, 'objects'),
    engine: join(directory, 'engine'),
    router: join(directory, 'router'),
    /** The rules that names stand on, for a boot. */
    names: join(directory, 'names.nft'),
    /** Where the router listens for services of other racks: a range of addresses. */
    ways: join(directory, 'ways'),
  }
}

/**
 * @throws not-found when there is no rack in the directory, conflict for half of one; unsupported for one of an engine that
 * is not known; host-failed when its file is damaged
 */
export async function readInstallation(directory: string): Promise<Installation> {
  const { configuration, unfinished } = installationPaths(directory)
  if ((await readTextIfThere(unfinished)) !== null) {
    throw new RackError('conflict', `a restore of the rack in ${directory} has not come to its end`, {
      hint: `If nobody is at it any more, begin anew: rack restore FILE --dir ${directory}`,
    })
  }
  try {
    const written = JSON.parse(await readFile(configuration, 'utf8')) as Installation
    if (![undefined, 'aws'].includes(written.engine)) {
      throw new RackError(
        'unsupported',
        `this version of Rack does not know the engine of the rack in ${directory}`,
        {
          hint: 'Type it with the version that the rack was installed with, or a later one.',
        },
      )
    }
    // One of an earlier version names none.
    return { ...written, socket: written.socket ?? { path: apiSocketPath(directory), group: null } }
  } catch (error) {
    if (error instanceof RackError) throw error
    if (isMissing(error)) {
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

export function isOnMachine(installation: Installation): installation is MachineInstallation {
  return installation.engine === undefined
}

/** @throws unsupported for a rack of another kind */
export function onMachine(installation: Installation, what: string): MachineInstallation {
  if (isOnMachine(installation)) return installation
  const { name, places } = installation
  throw new RackError(
    'unsupported',
    `${what} is for a rack on one machine, and the processes of ${name} run in the AWS account ${places.account}`,
  )
}

/** Where the apps of an account are reached, each by its own Host. */
export function balancerUrls({ balancer: { host, listeners } }: Pick<AwsPlaces, 'balancer'>): {
  http: string
  https: string | null
} {
  return { http: `http://${host}`, https: listeners.https === null ? null : `https://${host}` }
}

/** The base address of apps by TLS; null where there is none, and while nobody serves it. */
export function httpsUrlOf(
  { https }: Pick<MachineInstallation, 'https'>,
  unserved: readonly UnservedPort[],
  host = 'localhost',
): string | null {
  if (!https || unserved.some(({ app, process: type }) => app === null && type === 'https')) return null
  return https.port === 443 ? `https://${host}` : `https://${host}:${https.port}`
}

/** Under which host the API is served by TLS, at the port of https; null where it is not. */
export function apiHostOf({
  https,
  apiByHttps,
  domain,
}: Pick<MachineInstallation, 'https' | 'apiByHttps' | 'domain'>): string | null {
  return https && apiByHttps !== false ? domain : null
}

/** With what `rack login` reaches the API by TLS; null where it is not served, and while nobody serves it. */
export function apiByHttpsUrlOf(
  installation: Pick<MachineInstallation, 'https' | 'apiByHttps' | 'domain'>,
  unserved: readonly UnservedPort[],
): string | null {
  const host = apiHostOf(installation)
  return host === null ? null : httpsUrlOf(installation, unserved, host)
}

/** Where external tcp ports listen: a rack that is older than the choice has them on all addresses, whatever http has. */
export function tcpBindOf({ tcp }: MachineInstallation): string {
  return tcp?.bind ?? '0.0.0.0'
}

/** What a rack is told that listens more widely for tcp than for http, because it is older than the choice; else null. */
export function tcpBindRemark(installation: MachineInstallation): { detail: string; fix: string } | null {
  const { tcp, http } = installation
  if (tcp || http.bind === tcpBindOf(installation)) return null
  return {
    detail: `external tcp ports listen on all addresses, and http on ${http.bind} alone`,
    fix: `rack stop --keep-router; rack start --tcp-bind ${http.bind} (0.0.0.0 leaves it so)`,
  }
}
