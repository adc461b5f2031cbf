import type { Control } from '../domain/control.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { appOfBackend, readServerName } from './route-table.ts'
import type { RunningRouter } from './running-router.ts'

const cutDeadlineMs = 5_000
const removeDeadlineMs = 5_000
const intervalMs = 50

export interface Retiring {
  /** Out of the table, and drained. */
  servers: readonly string[]
  deadlineMs: number
  /** True leaves the deleting to the next sweep: those that wait for others have waited long enough. */
  isReplaced: boolean
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
  const isUnused = await waitUntilUnused(retiring, retiring.deadlineMs, control)
  const cutConnections = isUnused ? 0 : await cut(retiring, control)
  if (!retiring.isReplaced) await remove(retiring, control)
  return { cutConnections }
}

/**
 * Those of the servers (`backend/name`) that are these processes. Their names tell: the route that a copy was served by
 * may be in no table any more, or have another port there.
 */
export function serversOfProcesses(
  servers: readonly string[],
  { app, processes }: { app: string; processes: readonly string[] },
): string[] {
  const wanted = new Set(processes)
  return servers.filter((each) => {
    const [backend = '', name = ''] = each.split('/')
    const processId = readServerName(name)?.process
    return appOfBackend(backend) === app && processId !== undefined && wanted.has(processId)
  })
}

/** Workers that a reload replaced count too: they end what they had begun, and begin nothing. */
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
