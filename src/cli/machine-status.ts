import { RackError } from '../domain/error.ts'
import { answersHealth, findDaemon } from '../host/daemon.ts'
import type { Installation } from '../host/installation.ts'
import { findRouter } from '../host/router-process.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { readRacks } from './racks-file.ts'
import type { Session } from './session.ts'

/** What `rack status` says of a rack on this machine. */
export interface MachineStatus {
  name: string
  /** `unreachable`: the daemon runs, and its API does not answer. */
  status: 'running' | 'updating' | 'converging' | 'stopped' | 'unreachable'
  version: string | null
  daemon: { pid: number | null }
  router: { pid: number | null }
  /** Base addresses of the API and of the apps. */
  api: string
  http: string
  domain: string
  apps: number | null
  engine: { name: string; version: string } | null
  directory: string
}

/** Taking up what was left may take longer when Docker Engine is away; then it goes on by itself. */
const readyDeadlineMs = 20_000

export function apiUrl({ api }: Installation): string {
  return `http://${api.host}:${api.port}`
}

/** Asks the rack, and the machine where the rack does not answer. */
export async function readStatus({ world }: Session, installation: Installation): Promise<MachineStatus> {
  const { name, directory, domain, http } = installation
  const [daemon, router] = await Promise.all([findDaemon(directory), findRouter(directory)])
  const base = {
    name,
    directory,
    daemon: { pid: daemon },
    router: { pid: router },
    api: apiUrl(installation),
    http: http.port === 80 ? 'http://localhost' : `http://localhost:${http.port}`,
    domain,
  }
  const unknown = { version: null, apps: null, engine: null }
  if (daemon === null) return { ...base, ...unknown, status: 'stopped' }
  const token = tokenOf(world.env, installation)
  if (token === null) {
    const answers = await answersHealth(installation)
    return { ...base, ...unknown, status: answers ? 'running' : 'unreachable' }
  }
  try {
    const { status, version, apps, engine } = await (await connectTo(installation, token)).getRack()
    return { ...base, status, version, apps, engine }
  } catch (error) {
    if (error instanceof RackError) return { ...base, ...unknown, status: 'unreachable' }
    throw error
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

/** Waits, for a while, until the rack has taken up what was left; says so when it has not. */
export async function waitUntilReady(
  { output }: Session,
  installation: Installation,
  token: string | null,
): Promise<void> {
  if (token === null) return
  const client = await connectTo(installation, token)
  try {
    await until(
      async () => {
        // While Docker Engine is away the rack cannot say how it is.
        const rack = await client.getRack().catch((error: unknown) => {
          if (error instanceof RackError && error.code !== 'unauthorized') return null
          throw error
        })
        return rack !== null && rack.status !== 'converging'
      },
      { deadlineMs: readyDeadlineMs, intervalMs: 100, what: 'the rack to be ready' },
    )
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    output.say(`${installation.name} answers and is still taking up what was left: rack status; rack doctor`)
  }
}
