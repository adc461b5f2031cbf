import type { Control } from '../../../domain/control.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import { idleClientMs } from './haproxy-config.ts'
import { allRoutes, backendName, serverName } from './route-table.ts'
import type { RouteTable } from './route-table.ts'
import type { RunningRouter } from './running-router.ts'

const cutDeadlineMs = 5_000
const removeDeadlineMs = 5_000
const intervalMs = 50

export interface Retiring {
  /** Already out of the table, and drained. */
  servers: readonly string[]
  deadlineMs: number
  running: RunningRouter
  /** Runs a step while nothing else changes the router; other changes go on between the steps. */
  exclusively: <T>(step: () => Promise<T>) => Promise<T>
  /** Reads the counters, which vanish with the server. */
  count: () => Promise<unknown>
}

/** Waits until no connection is left, cuts at the deadline, and deletes; what is gone already is no error. */
export async function retireServers(
  retiring: Retiring,
  control: Control,
): Promise<{ cutConnections: number }> {
  const started = performance.now()
  await waitForIdleClients(retiring, control)
  const leftMs = Math.max(0, retiring.deadlineMs - (performance.now() - started))
  const cutConnections = (await waitUntilUnused(retiring, leftMs, control)) ? 0 : await cut(retiring, control)
  await remove(retiring, control)
  return { cutConnections }
}

/** The servers of these processes, in the table and, after a crash or an apply without them, in HAProxy alone. */
export function serversOfProcesses(
  table: RouteTable,
  { app, processes }: { app: string; processes: readonly string[] },
  leaving: readonly { server: string }[],
): string[] {
  const wanted = new Set(processes)
  const inTable = allRoutes(table).flatMap((route) => {
    if (route.app !== app) return []
    const servers = route.route.backend.servers.filter(({ process }) => wanted.has(process))
    return servers.map((server) => `${backendName(route)}/${serverName(server)}`)
  })
  const prefixes = processes.map((process) => `/${serverName({ process, release: '' })}`)
  const inHaproxy = leaving
    .map(({ server }) => server)
    .filter((server) => server.startsWith(`${app}.`) && prefixes.some((prefix) => server.includes(prefix)))
  return [...new Set([...inTable, ...inHaproxy])]
}

/**
 * Shortly after a reload an idle client may ask the replaced worker once more, which knows these servers and not
 * those that came since; so they must answer until no such client is left. Without a reload nothing is waited for.
 */
async function waitForIdleClients({ running, exclusively }: Retiring, control: Control): Promise<void> {
  const areGone = () => exclusively(async () => (await running.idleClients(control)) === 0)
  await inTime(
    areGone,
    { deadlineMs: idleClientMs + 2_000, what: 'idle clients of the replaced worker' },
    control,
  )
}

async function waitUntilUnused(
  { servers, running, exclusively }: Retiring,
  deadlineMs: number,
  control: Control,
): Promise<boolean> {
  const isUnused = () => exclusively(async () => (await running.busy(servers, control)) === 0)
  return await inTime(isUnused, { deadlineMs, what: 'the connections of leaving processes to end' }, control)
}

async function cut(retiring: Retiring, control: Control): Promise<number> {
  const { servers, running, exclusively } = retiring
  const count = await exclusively(async () => {
    const busy = await running.busy(servers, control)
    await running.cut(servers, control)
    return busy
  })
  await waitUntilUnused(retiring, cutDeadlineMs, control)
  return count
}

/** What cannot be deleted yet, because an idle connection is held, is left in maintenance for the next sweep. */
async function remove({ servers, running, exclusively, count }: Retiring, control: Control): Promise<void> {
  const left = new Set(servers)
  const removeEach = () =>
    exclusively(async () => {
      await count()
      for (const server of left) {
        if (await running.remove(server, control)) left.delete(server)
      }
      return left.size === 0
    })
  await inTime(removeEach, { deadlineMs: removeDeadlineMs, what: 'idle connections to end' }, control)
}

/** Whether the condition came true before the deadline. */
async function inTime(
  condition: () => Promise<boolean>,
  wait: { deadlineMs: number; what: string },
  { signal }: Control,
): Promise<boolean> {
  try {
    return await until(condition, { ...wait, intervalMs, signal })
  } catch (error) {
    if (error instanceof DeadlineError) return false
    throw error
  }
}
