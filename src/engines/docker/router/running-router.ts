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
export class RunningRouter {
  readonly #runtime: RuntimeApi

  constructor(runtime: RuntimeApi) {
    this.#runtime = runtime
  }

  /** The structure that the serving worker was started with; null when none serves. */
  async structure(control: Control): Promise<string | null> {
    const { current } = await this.#runtime.workers(control)
    return current === null ? null : ((await this.#runtime.info(current, control)).get('description') ?? null)
  }

  /**
   * Adds, moves, enables and drains servers until HAProxy has those of the table; settles when the added ones are
   * up. Safe to repeat.
   *
   * @throws host-failed when HAProxy refuses a change, or finds an added server down
   */
  async bringServers(table: RouteTable, control: Control): Promise<void> {
    const worker = await this.#current(control)
    const changes = planServerChanges(table, await this.#runtime.servers(worker, control))
    for (const change of changes) {
      for (const [command, expected] of changeCommands(change)) {
        await this.#runtime.change(worker, command, expected, control)
      }
    }
    const added = changes.flatMap((change) => (change.kind === 'add' ? [change.server] : []))
    if (added.length > 0) await waitUntilUp(this.#runtime, worker, added, control)
  }

  /** The servers that are not in the table any more, and still known. */
  async leaving(table: RouteTable, control: Control): Promise<LeavingServer[]> {
    return leavingServers(table, await this.#runtime.servers(await this.#current(control), control))
  }

  /** No new request goes to these servers; a worker that was replaced takes no new connection anyway. */
  async drain(servers: readonly string[], control: Control): Promise<void> {
    const worker = await this.#current(control)
    for (const server of await known(this.#runtime, worker, servers, control)) {
      await this.#runtime.change(worker, `set server ${server} state drain`, null, control)
    }
  }

  /** Sessions and waiting requests of these servers, in all workers. */
  async busy(servers: readonly string[], control: Control): Promise<number> {
    const names = new Set(servers)
    const rows = (await this.#onEach(control, (worker) => this.#runtime.statistics(worker, control))).flat()
    return sum(rows.map(({ backend, server, busy }) => (names.has(`${backend}/${server}`) ? busy : 0)))
  }

  /**
   * Connected clients without a request, in workers that a reload replaced: each may ask there once more, of servers
   * that were in the table before the reload.
   */
  async idleClients(control: Control): Promise<number> {
    const { current } = await this.#runtime.workers(control)
    const each = await this.#onEach(control, async (worker) => {
      if (worker === current) return 0
      const clients = Number((await this.#runtime.info(worker, control)).get('CurrConns'))
      const active = new Set((await this.#runtime.sessions(worker, control)).map(({ client }) => client))
      return Math.max(0, clients - active.size)
    })
    return sum(each)
  }

  /** Cuts the connections to these servers, in all workers. */
  async cut(servers: readonly string[], control: Control): Promise<void> {
    const names = new Set(servers)
    await this.#onEach(control, async (worker) => {
      // One by one: a worker that was replaced refuses "shutdown sessions server", its proxies being stopped.
      for (const { id, server } of await this.#runtime.sessions(worker, control)) {
        if (names.has(server))
          await this.#runtime.change(worker, `shutdown session ${id}`, /^No such session/, control)
      }
    })
  }

  /** Deletes a server that is out of the table and idle; false when HAProxy still holds a connection. */
  async remove(server: string, control: Control): Promise<boolean> {
    const worker = await this.#current(control)
    if ((await known(this.#runtime, worker, [server], control)).length === 0) return true
    await this.#runtime.change(worker, `set server ${server} state maint`, null, control)
    // This refusal is expected: an idle connection is closed a moment later.
    await this.#runtime.change(worker, `del server ${server}`, /^Server deleted|^Server still has/, control)
    return (await known(this.#runtime, worker, [server], control)).length === 0
  }

  /** The statistics of every worker, by a name that no other worker ever has. */
  async statistics(control: Control): Promise<Map<string, Statistics[]>> {
    const pairs = await this.#onEach(control, async (worker) => {
      const identity = await identifyProcess(worker)
      return [
        `${worker}:${identity?.startTicks ?? 0}`,
        await this.#runtime.statistics(worker, control),
      ] as const
    })
    return new Map(pairs)
  }

  /** Starts the maxima in the statistics anew. */
  async clearMaxima(control: Control): Promise<void> {
    await this.#onEach(control, (worker) => this.#runtime.change(worker, 'clear counters', null, control))
  }

  async #current(control: Control): Promise<number> {
    const { current } = await this.#runtime.workers(control)
    if (current === null) throw new RackError('host-failed', 'no worker of the router is ready')
    return current
  }

  async #all(control: Control): Promise<number[]> {
    const { current, leaving } = await this.#runtime.workers(control)
    return current === null ? leaving : [current, ...leaving]
  }

  async #onEach<T>(control: Control, ask: (worker: number) => Promise<T>): Promise<T[]> {
    const replies: T[] = []
    for (const worker of await this.#all(control)) {
      try {
        replies.push(await ask(worker))
      } catch (error) {
        // A worker that had only old connections may end at any time.
        control.signal.throwIfAborted()
        if ((await this.#all(control)).includes(worker)) throw error
      }
    }
    return replies
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)

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
