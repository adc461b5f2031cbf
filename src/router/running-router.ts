import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { RouterLoad, RouterShares } from '../domain/router-load.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { identifyProcess } from '../lib/process-identity.ts'
import type { RenderedHold } from './haproxy-config.ts'
import { dueCommands } from './hold.ts'
import { applyMap } from './apply-map.ts'
import type { HostMap } from './host-maps.ts'
import { appOfBackend } from './route-table.ts'
import type { RouteTable } from './route-table.ts'
import type { RuntimeApi, Statistics } from './runtime-api.ts'
import { changeCommands, downCopies, leavingServers, planServerChanges, stateKey } from './server-changes.ts'
import type { LeavingServer } from './server-changes.ts'
import { appsTable } from './share-rules.ts'
import { showCertificates } from './tls/show-certificates.ts'
import type { Shown } from './tls/shown-certificates.ts'

const upDeadlineMs = 10_000

/** What is asked of a HAProxy that runs, over all of its workers. */
export class RunningRouter {
  readonly #runtime: RuntimeApi
  readonly #shares: RouterShares

  constructor(runtime: RuntimeApi, shares: RouterShares) {
    this.#runtime = runtime
    this.#shares = shares
  }

  /** The structure that the serving worker was started with; null when none serves. */
  async structure(control: Control): Promise<string | null> {
    const { current } = await this.#runtime.workers(control)
    return current === null ? null : ((await this.#runtime.info(current, control)).get('description') ?? null)
  }

  /**
   * Adds, moves, enables and drains servers until HAProxy has those of the table; settles when the added ones are
   * up. Where a copy is due requests wait from before its predecessors leave until it is there. Safe to repeat.
   *
   * @throws host-failed when HAProxy refuses a change, or finds an added server down
   */
  async applyServers(table: RouteTable, hold: RenderedHold | null, control: Control): Promise<void> {
    const worker = await this.#current(control)
    const due = hold ? await this.#dueCommands(worker, hold, control) : { begin: [], end: [] }
    for (const command of due.begin) await this.#runtime.change(worker, command, null, control)
    const changes = planServerChanges(table, await this.#runtime.servers(worker, control), this.#shares)
    for (const change of changes) {
      for (const [command, expected] of changeCommands(change)) {
        await this.#runtime.change(worker, command, expected, control)
      }
    }
    for (const command of due.end) await this.#runtime.change(worker, command, null, control)
    const added = changes.flatMap((change) => (change.kind === 'add' ? [change.server] : []))
    if (added.length > 0) await waitUntilUp(this.#runtime, worker, added, control)
  }

  /** Brings the names that lead to backends to these. */
  async applyHosts(maps: readonly HostMap[], control: Control): Promise<void> {
    const worker = await this.#current(control)
    for (const { path, entries } of maps)
      await applyMap({ runtime: this.#runtime, worker }, path, entries, control)
  }

  /** Brings what is shown by TLS, and who is sent there, to what is on disk. */
  async applyShown(shown: Shown, control: Control): Promise<void> {
    await showCertificates(this.#runtime, await this.#current(control), shown, control)
  }

  async #dueCommands(worker: number, { due, duePath }: RenderedHold, control: Control) {
    return dueCommands(duePath, due, await this.#runtime.map(worker, duePath, control))
  }

  /** Every server that a worker knows, those included that a reload replaced. */
  async servers(control: Control): Promise<string[]> {
    const rows = (await this.#onEach(control, (worker) => this.#runtime.statistics(worker, control))).flat()
    const names = rows.flatMap(({ backend, server }) => (server === null ? [] : [`${backend}/${server}`]))
    return [...new Set(names)]
  }

  /** The servers that are not in the table any more, and still known. */
  async leaving(table: RouteTable, control: Control): Promise<LeavingServer[]> {
    return leavingServers(table, await this.#runtime.servers(await this.#current(control), control))
  }

  /** Copies of the table that are found down by their checks, by app. */
  async down(table: RouteTable, control: Control): Promise<Map<string, Set<string>>> {
    const states = await this.#runtime.servers(await this.#current(control), control)
    const down = new Set(states.filter(({ isUp, admin }) => !isUp && admin === 'ready').map(stateKey))
    return downCopies(table, down)
  }

  /** No new request goes to these servers; a worker that was replaced hands new requests to the one that serves. */
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

  /** How many clients are connected to each of the workers that a reload replaced. */
  async clientsOfReplaced(control: Control): Promise<Map<number, number>> {
    const { current } = await this.#runtime.workers(control)
    const each = await this.#onEach(control, async (worker) => {
      const clients = worker === current ? 0 : (await this.#runtime.info(worker, control)).get('CurrConns')
      return [worker, Number(clients)] as const
    })
    return new Map(each)
  }

  /** Cuts the connections to these servers, in all workers. */
  async cut(servers: readonly string[], control: Control): Promise<void> {
    const names = new Set(servers)
    await this.#onEach(control, (worker) => this.#cutOf(worker, (server) => names.has(server), control))
  }

  /**
   * Cuts what goes through backends that are no more; only workers that a reload replaced still have such.
   * @returns how many connections that were
   */
  async cutGone(isGone: (backend: string) => boolean, control: Control): Promise<number> {
    const { current } = await this.#runtime.workers(control)
    const isCut = (server: string) => isGone(server.slice(0, server.indexOf('/')))
    const cuts = await this.#onEach(control, async (worker) =>
      worker === current ? 0 : await this.#cutOf(worker, isCut, control),
    )
    return sum(cuts)
  }

  /** One by one: a worker that was replaced refuses "shutdown sessions server", its proxies being stopped. */
  async #cutOf(worker: number, isCut: (server: string) => boolean, control: Control): Promise<number> {
    const cut = (await this.#runtime.sessions(worker, control)).filter(({ server }) => isCut(server))
    for (const { id } of cut)
      await this.#runtime.change(worker, `shutdown session ${id}`, /^No such session/, control)
    return cut.length
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

  /** What the worker that serves has open, and what each of these apps has of it. */
  async load(apps: readonly string[], worker: number, control: Control): Promise<RouterLoad> {
    const open = await this.#runtime.openCounts(worker, appsTable, control)
    const sums = (await this.#runtime.statistics(worker, control)).filter(({ server }) => server === null)
    const traffic = apps.map((app) => {
      const refused = sum(sums.map((row) => (appOfBackend(row.backend) === app ? row.refused : 0)))
      return [app, { underWay: open.get(app) ?? 0, refused }] as const
    })
    const connections = Number((await this.#runtime.info(worker, control)).get('CurrConns'))
    return { connections, shares: this.#shares, apps: Object.fromEntries(traffic) }
  }

  /** The statistics of every worker, by a name that no other worker ever has. */
  async statistics(control: Control): Promise<Map<string, Statistics[]>> {
    const pairs = await this.#onEach(control, async (worker) => {
      const identity = await identifyProcess(worker)
      return [`${worker}:${identity?.startTicks ?? 0}`, await this.#withHeld(worker, control)] as const
    })
    return new Map(pairs)
  }

  async #withHeld(worker: number, control: Control): Promise<Statistics[]> {
    const rows = await this.#runtime.statistics(worker, control)
    const held = await this.#runtime.held(worker, control)
    return rows.map((row) => {
      const own = row.server === null ? held.get(row.backend) : undefined
      return own ? { ...row, held: own.count, longestMs: row.longestMs + own.longestMs } : row
    })
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
        if (!(await this.#hasGone(worker, control))) throw error
      }
    }
    return replies
  }

  /** Its master lists one that has ended for a moment yet. */
  async #hasGone(worker: number, control: Control): Promise<boolean> {
    try {
      await this.#runtime.info(worker, control)
      return false
    } catch (error) {
      control.signal.throwIfAborted()
      if (!(error instanceof RackError)) throw error
      return !(await this.#all(control)).includes(worker)
    }
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
