import type { UnservedPort } from '../domain/endpoint.ts'
import type { Restoring } from '../domain/rack-backup.ts'
import { RackError } from '../domain/error.ts'
import type { RouterLoad } from '../domain/router-load.ts'
import { answersHealth, findDaemon } from '../host/daemon.ts'
import {
  apiByHttpsUrlOf,
  balancerUrls,
  httpsUrlOf,
  isOnMachine,
  type AwsInstallation,
  type Installation,
  type MachineInstallation,
} from '../host/installation.ts'
import { findRouter, findUnserved } from '../host/router.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { unixUrl } from '../lib/unix-url.ts'
import { readNextEnds, type CertificateEnd } from './certificate-ends.ts'
import { readRacks } from './racks-file.ts'
import type { Session } from './session.ts'

/** What `rack status` says of a rack on this machine. */
export interface MachineStatus {
  name: string
  /** `unreachable`: the daemon runs, and its API does not answer. */
  status: 'running' | 'updating' | 'converging' | 'stopped' | 'unreachable'
  version: string | null
  daemon: { pid: number | null }
  /** What is open in it now; null where the daemon does not tell. Without a process where balancers of an account serve. */
  router: { pid: number | null; load: RouterLoad | null }
  /** The API's Unix socket; absent for a rack of another machine. */
  socket?: string
  /** The API's address while it is reached by TCP. */
  api?: string
  /** Base address of the apps. */
  http: string
  /** The same by TLS; null where the rack serves none. */
  https: string | null
  /** Where the API is reached by TLS; null where it is not, absent for a rack of another machine, and for one in an account. */
  apiByHttps?: string | null
  /** Of AWS, where the processes run; absent for a rack on one machine. */
  account?: { id: string; region: string }
  domain: string
  apps: number | null
  /** Apps that run and lack copies. */
  degraded: string[]
  /** Ports that another program has. */
  unservedPorts: UnservedPort[]
  /** What of a backup is still to be taken in; null where nothing is, or nobody tells. */
  restoring: Restoring | null
  /** Those that end soon, or the next one to end; null where the rack does not tell. */
  certificateEnds: CertificateEnd[] | null
  engine: { name: string; version: string } | null
  directory: string
}

/** Without an app that came back; taking up what was left may take longer, and goes on by itself. */
const readyDeadlineMs = 20_000

/** By what the command line reaches a rack of this machine: its socket, and nothing else. */
export function apiUrl({ socket }: Installation): string {
  return unixUrl(socket.path)
}

/** Asks the rack, and the machine where the rack does not answer. */
export async function readStatus({ world }: Session, installation: Installation): Promise<MachineStatus> {
  const { name, directory, domain, socket, api } = installation
  const [daemon, ways] = await Promise.all([
    findDaemon(directory),
    isOnMachine(installation) ? waysOfMachine(installation) : waysOfAccount(installation),
  ])
  const base = {
    name,
    directory,
    daemon: { pid: daemon },
    socket: socket.path,
    ...(api && { api: `http://${api.host}:${api.port}` }),
    ...ways,
    domain,
  }
  const unknown = {
    version: null,
    apps: null,
    degraded: [],
    restoring: null,
    certificateEnds: null,
    engine: null,
  }
  if (daemon === null) return { ...base, ...unknown, status: 'stopped' }
  const token = tokenOf(world.env, installation)
  if (token === null) {
    const answers = await answersHealth(installation)
    return { ...base, ...unknown, status: answers ? 'running' : 'unreachable' }
  }
  try {
    const client = await connectTo(installation, token)
    const rack = await client.getRack()
    const certificateEnds = await readNextEnds(client)
    const { status, version, apps, engine } = rack
    // A daemon of an earlier version does not say what is open, nor what is missing.
    const { load }: Partial<typeof rack.router> = rack.router
    const said: Partial<typeof rack> = rack
    const { degraded = [], restoring = null } = said
    const told = { status, version, apps, degraded, restoring, certificateEnds, engine }
    return { ...base, router: { ...ways.router, load: load ?? null }, ...told }
  } catch (error) {
    if (error instanceof RackError) return { ...base, ...unknown, status: 'unreachable' }
    throw error
  }
}

type Ways = Pick<MachineStatus, 'router' | 'account' | 'http' | 'https' | 'apiByHttps' | 'unservedPorts'>

async function waysOfMachine(installation: MachineInstallation): Promise<Ways> {
  const { directory, http } = installation
  const [pid, unservedPorts] = await Promise.all([findRouter(directory), findUnserved(installation)])
  return {
    router: { pid, load: null },
    http: http.port === 80 ? 'http://localhost' : `http://localhost:${http.port}`,
    https: httpsUrlOf(installation, unservedPorts),
    apiByHttps: apiByHttpsUrlOf(installation, unservedPorts),
    unservedPorts,
  }
}

function waysOfAccount({ places }: AwsInstallation): Ways {
  return {
    router: { pid: null, load: null },
    account: { id: places.account, region: places.region },
    ...balancerUrls(places),
    unservedPorts: [],
  }
}

/** The token that this command line has for an installation, or null. */
export function tokenOf(env: Session['world']['env'], { directory, name }: Installation): string | null {
  const { racks } = readRacks(env)
  const known = racks.find((rack) => rack.directory === directory) ?? racks.find((rack) => rack.name === name)
  return known?.token ?? null
}

export async function connectTo(installation: Installation, token: string) {
  const { createClient } = await import('../client/client.ts')
  return createClient({ url: apiUrl(installation), token })
}

/**
 * Waits until the rack has taken up what was left, telling how many apps are still to come back; says so when it has
 * not, and for a while no further app came back.
 * @returns whether it has
 */
export async function waitUntilReady(
  { output }: { output: Pick<Session['output'], 'say'> },
  installation: Installation,
  { token, tell }: { token: string | null; tell?: (comingBack: number) => void },
): Promise<boolean> {
  if (token === null) return true
  const client = await connectTo(installation, token)
  let told: number | null = null
  const news = async () => {
    // While Docker Engine is away the rack cannot say how it is.
    const rack = await client.getRack().catch((error: unknown) => {
      if (error instanceof RackError && error.code !== 'unauthorized') return null
      throw error
    })
    if (!rack) return null
    // A daemon of an earlier version does not say which: after an update it runs on until it is started again.
    const said: Partial<typeof rack> = rack
    const [isReady, left] = [said.status !== 'converging', said.comingBack?.length ?? 0]
    return isReady || left !== told ? { isReady, left } : null
  }
  try {
    for (;;) {
      const wait = { deadlineMs: readyDeadlineMs, intervalMs: 100, what: 'the rack to be ready' }
      const { isReady, left } = await until(news, wait)
      told = left
      tell?.(left)
      if (isReady) break
    }
    return true
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    output.say(`${installation.name} answers and is still taking up what was left: rack status; rack doctor`)
    return false
  }
}
