import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import { identifyProcess } from '../../../lib/process-identity.ts'
import type { RouteTable } from './route-table.ts'
import type { RuntimeApi, Statistics } from './runtime-api.ts'
import { changeCommands, leavingServers, planServerChanges, stateKey } from './server-changes.ts'
import type { LeavingServer } from './server-changes.ts'

const upDeadlineMs = 10_000

/** What is asked of a HAProxy that runs, over all of its workers. */
export interface RunningRouter {
  /** The structure that the serving worker was started with; null when none serves. */
  structure(control: Control): Promise<string | null>
  /**
   * Adds, moves, enables and drains servers until HAProxy has those of the table; settles when the added ones are
   * up. Safe to repeat.
   *
   * @throws host-failed when HAProxy refuses a change, or finds an added server down
   */
  bringServers(table: RouteTable, control: Control): Promise<void>
  /** The servers that are not in the table any more, and still known. */
  leaving(table: RouteTable, control: Control): Promise<LeavingServer[]>
  /** No new request goes to these servers; a worker that was replaced takes no new connection anyway. */
  drain(servers: readonly string[], control: Control): Promise<void>
  /** Sessions and waiting requests of these servers, in all workers. */
  busy(servers: readonly string[], control: Control): Promise<number>
  /**
   * Connected clients without a request, in workers that a reload replaced: each may ask there once more, of servers
   * that were in the table before the reload.
   */
  idleClients(control: Control): Promise<number>
  /** Cuts the connections to these servers, in all workers. */
  cut(servers: readonly string[], control: Control): Promise<void>
  /** Deletes a server that is out of the table and idle; false when HAProxy still holds a connection. */
  remove(server: string, control: Control): Promise<boolean>
  /** The statistics of every worker, by a name that no other worker ever has. */
  statistics(control: Control): Promise<Map<string, Statistics[]>>
  /** Starts the maxima in the statistics anew. */
  clearMaxima(control: Control): Promise<void>
}

export function createRunningRouter(runtime: RuntimeApi): RunningRouter {
  const current = async (control: Control): Promise<number> => {
    const { current: worker } = await runtime.workers(control)
    if (worker === null) throw new RackError('host-failed', 'no worker of the router is ready')
    return worker
  }
  const all = async (control: Control): Promise<number[]> => {
    const { current: serving, leaving } = await runtime.workers(control)
    return serving === null ? leaving : [serving, ...leaving]
  }
  const onEach = async <T>(control: Control, ask: (worker: number) => Promise<T>): Promise<T[]> => {
    const replies: T[] = []
    for (const worker of await all(control)) {
      try {
        replies.push(await ask(worker))
      } catch (error) {
        // A worker that had only old connections may end at any time.
        control.signal.throwIfAborted()
        if ((await all(control)).includes(worker)) throw error
      }
    }
    return replies
  }

  return {
    async structure(control) {
      const { current: worker } = await runtime.workers(control)
      return worker === null ? null : ((await runtime.info(worker, control)).get('description') ?? null)
    },
    async bringServers(table, control) {
      const worker = await current(control)
      const changes = planServerChanges(table, await runtime.servers(worker, control))
      for (const change of changes) {
        for (const [command, expected] of changeCommands(change)) {
          await runtime.change(worker, command, expected, control)
        }
      }
      const added = changes.flatMap((change) => (change.kind === 'add' ? [change.server] : []))
      if (added.length > 0) await waitUntilUp(runtime, worker, added, control)
    },
    leaving: async (table, control) =>
      leavingServers(table, await runtime.servers(await current(control), control)),
    async drain(servers, control) {
      const worker = await current(control)
      for (const server of await known(runtime, worker, servers, control)) {
        await runtime.change(worker, `set server ${server} state drain`, null, control)
      }
    },
    async busy(servers, control) {
      const names = new Set(servers)
      const each = await onEach(control, async (worker) => {
        const rows = await runtime.statistics(worker, control)
        return rows.reduce(
          (sum, { backend, server, busy }) => (names.has(`${backend}/${server}`) ? sum + busy : sum),
          0,
        )
      })
      return each.reduce((sum, count) => sum + count, 0)
    },
    async idleClients(control) {
      const { current: serving } = await runtime.workers(control)
      const each = await onEach(control, async (worker) => {
        if (worker === serving) return 0
        const clients = Number((await runtime.info(worker, control)).get('CurrConns'))
        const active = new Set((await runtime.sessions(worker, control)).map(({ client }) => client))
        return Math.max(0, clients - active.size)
      })
      return each.reduce((sum, count) => sum + count, 0)
    },
    async cut(servers, control) {
      const names = new Set(servers)
      await onEach(control, async (worker) => {
        // One by one: a worker that was replaced refuses "shutdown sessions server", its proxies being stopped.
        for (const { id, server } of await runtime.sessions(worker, control)) {
          if (names.has(server))
            await runtime.change(worker, `shutdown session ${id}`, /^No such session/, control)
        }
      })
    },
    async remove(server, control) {
      const worker = await current(control)
      if ((await known(runtime, worker, [server], control)).length === 0) return true
      // Its own kind of refusal is expected: an idle connection is closed a moment later.
      await runtime.change(worker, `set server ${server} state maint`, null, control)
      await runtime.change(worker, `del server ${server}`, /^Server deleted|^Server still has/, control)
      return (await known(runtime, worker, [server], control)).length === 0
    },
    async statistics(control) {
      const pairs = await onEach(control, async (worker) => {
        const identity = await identifyProcess(worker)
        return [`${worker}:${identity?.startTicks ?? 0}`, await runtime.statistics(worker, control)] as const
      })
      return new Map(pairs)
    },
    async clearMaxima(control) {
      await onEach(control, (worker) => runtime.change(worker, 'clear counters', null, control))
    },
  }
}

async function known(
  runtime: RuntimeApi,
  worker: number,
  servers: readonly string[],
  control: Control,
): Promise<string[]> {
  const names = new Set((await runtime.servers(worker, control)).map(stateKey))
  return servers.filter((server) => names.has(server))
}

async function waitUntilUp(
  runtime: RuntimeApi,
  worker: number,
  servers: string[],
  control: Control,
): Promise<void> {
  let down = servers
  const areUp = async () => {
    const up = new Set((await runtime.servers(worker, control)).filter(({ isUp }) => isUp).map(stateKey))
    down = servers.filter((server) => !up.has(server))
    return down.length === 0
  }
  try {
    await until(areUp, { deadlineMs: upDeadlineMs, intervalMs: 20, what: 'servers', signal: control.signal })
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    throw new RackError('host-failed', `the router does not reach ${down.join(', ')}`, { cause: error })
  }
}
