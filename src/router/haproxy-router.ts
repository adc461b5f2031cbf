import { isDeepStrictEqual } from 'node:util'
import type { ServedTraffic } from '../domain/traffic.ts'
import type { Control } from '../domain/control.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import type { ShareEntrance } from '../domain/share.ts'
import { RackError } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { createSemaphore } from '../lib/semaphore.ts'
import type { AppCounters } from './counters.ts'
import type { HaproxyProcess } from './haproxy-process.ts'
import { retireServers, serversOfProcesses } from './retirement.ts'
import { withResting } from './resting.ts'
import {
  entrancePortOfOthers,
  newPortsOfOthers,
  portsStillHeld,
  portTaken,
  sparablePorts,
} from './ports-of-others.ts'
import { withDomains } from './domains.ts'
import type { RouteFiles } from './route-files.ts'
import { checkTable, clashesOf, withApp } from './check-table.ts'
import { withoutPorts, withoutProcesses } from './route-table.ts'
import type { AppRoutes, Listening, RouteTable, Way } from './route-table.ts'
import { hasShares, isGoneBackend, withEntrance, withWays } from './share-table.ts'
import type { RunningRouter } from './running-router.ts'
import type { RuntimeApi } from './runtime-api.ts'
import type { Retirement, Router, RouterOptions, RouterStatus, RunningMeasurement } from './router.ts'
import { TrafficCounts } from './traffic-counts.ts'

const stopDeadlineMs = 5_000

/** What a router is put together from. */
export interface RouterParts {
  options: RouterOptions
  runtime: RuntimeApi
  haproxy: HaproxyProcess
  running: RunningRouter
  files: RouteFiles
}

/** Keeps the table in files, and the running HAProxy at the table, one change at a time. */
export class HaproxyRouter implements Router {
  readonly #parts: RouterParts
  readonly #queue = createSemaphore(1)
  readonly #retiring = new Set<string>()
  readonly #counts: TrafficCounts
  /** TCP ports, that of https among them, that another program holds; they are served as soon as they are free. */
  #blocked: readonly number[] = []
  /** By app, those that were said to be unhealthy last. */
  readonly #resting = new Map<string, ReadonlySet<string>>()
  #table: RouteTable | null = null
  /** False from the beginning of a change until HAProxy has what is in the table. */
  #isBrought = false

  constructor(parts: RouterParts) {
    this.#parts = parts
    this.#counts = new TrafficCounts(parts)
  }

  async start(control: Control): Promise<void> {
    await this.#change(async () => {
      await this.#applyFreePorts(await this.#load(), control)
    }, control)
  }

  async apply(app: string, routes: AppRoutes | null, control: Control): Promise<void> {
    await this.#changeAlive(async () => {
      const resting = this.#resting.get(app) ?? new Set()
      const rested = routes && withResting(routes, resting)
      const before = await this.#load()
      await this.#commit(withApp(before, app, rested), control)
      if (hasShares(before, app)) await this.#cutGone(control)
      if (routes !== null) return
      this.#resting.delete(app)
      await this.#counts.forget(app, control)
    }, control)
  }

  async admit(entrance: ShareEntrance | null, control: Control): Promise<void> {
    await this.#changeAlive(async () => {
      const before = await this.#load()
      if (this.#isBrought && isDeepStrictEqual(before.entrance ?? null, entrance)) return
      await this.#commit(withEntrance(before, entrance), control)
      await this.#cutGone(control)
    }, control)
  }

  async lead(owner: string, ways: readonly Way[], control: Control): Promise<void> {
    await this.#changeAlive(async () => {
      const before = await this.#load()
      const after = withWays(before, owner, ways)
      if (this.#isBrought && isDeepStrictEqual(before.ways ?? [], after.ways ?? [])) return
      await this.#commit(after, control)
      await this.#cutGone(control)
    }, control)
  }

  async waysOf(owner: string): Promise<Way[]> {
    const { ways = [] } = await this.#queue.run(() => this.#load())
    return ways.filter((way) => way.owner === owner)
  }

  async obstacles(routes: AppRoutes, control: Control): Promise<RackError[]> {
    return await this.#change(async () => {
      const table = await this.#load()
      const clashes = clashesOf(table, routes)
      const known = new Set(clashes.map((clash) => (clash.details as { port?: number } | undefined)?.port))
      const taken = await newPortsOfOthers(table, { ...table, apps: [routes] })
      return [...clashes, ...taken.filter(({ details }) => !known.has((details as { port: number }).port))]
    }, control)
  }

  async replace(apps: readonly AppRoutes[], control: Control): Promise<void> {
    await this.#change(async () => {
      const sorted = apps.toSorted((a, b) => (a.app < b.app ? -1 : 1))
      await this.#commit(checkTable({ ...(await this.#load()), apps: sorted }), control)
    }, control)
  }

  async retire(
    { app, processes, deadlineMs, isReplaced = false }: Retirement,
    control: Control,
  ): Promise<{ cutConnections: number }> {
    const { running, haproxy } = this.#parts
    const servers = await this.#changeAlive(async () => {
      const table = await this.#load()
      // Asked of the workers: a route that was dropped or moved lives on in those that a reload has replaced.
      const servers = (await haproxy.find()) === null ? [] : await running.servers(control)
      const found = serversOfProcesses(servers, { app, processes })
      await this.#commit(withoutProcesses(table, app, processes, isReplaced), control)
      await running.drain(found, control)
      for (const server of found) this.#retiring.add(server)
      return found
    }, control)
    try {
      const exclusively = <T>(step: () => Promise<T>) => this.#change(step, control)
      const count = () => this.#counts.take(control)
      const leaving = { servers, deadlineMs, isReplaced, running, exclusively, count }
      return await retireServers(leaving, control)
    } finally {
      for (const server of servers) this.#retiring.delete(server)
    }
  }

  async rest(app: string, processes: ReadonlySet<string>, control: Control): Promise<void> {
    await this.#changeAlive(async () => {
      this.#resting.set(app, processes)
      const table = await this.#load()
      const routes = table.apps.find((known) => known.app === app)
      if (!routes) return
      const down = (await this.#down(control)).get(app)
      const rested = withResting(routes, processes, down)
      if (this.#isBrought && isDeepStrictEqual(rested, routes)) return
      await this.#commit(withApp(table, app, rested), control)
    }, control)
  }

  async down(control: Control): Promise<Map<string, Set<string>>> {
    return await this.#change(async () => await this.#down(control), control)
  }

  async #down(control: Control): Promise<Map<string, Set<string>>> {
    const { haproxy, running } = this.#parts
    return (await haproxy.find()) === null ? new Map() : await running.down(await this.#load(), control)
  }

  async counters(app: string, control: Control): Promise<AppCounters> {
    return await this.#change(async () => (await this.#counts.take(control)).read(app), control)
  }

  async traffic(apps: readonly string[], control: Control): Promise<Record<string, ServedTraffic>> {
    return await this.#change(() => this.#counts.served(apps, control), control)
  }

  async measure(app: string, control: Control): Promise<RunningMeasurement> {
    const measuring = await this.#change(() => this.#counts.begin(app, control), control)
    return { end: async (last) => await this.#change(() => this.#counts.end(measuring, last), last) }
  }

  async ensureRunning(control: Control): Promise<{ isRevived: boolean }> {
    const { haproxy, runtime } = this.#parts
    return await this.#change(async () => {
      const isDead = (await haproxy.find()) === null
      await this.#applyFreePorts(await this.#load(), control)
      await this.#sweep(control)
      // A replaced worker that is counted for the last time may end.
      if ((await runtime.workers(control)).leaving.length > 0) await this.#counts.take(control)
      // What it had begun to accept when it was replaced comes through it yet.
      await this.#cutGone(control)
      await haproxy.trimLog()
      return { isRevived: isDead }
    }, control)
  }

  async status(control: Control): Promise<RouterStatus> {
    const { options, haproxy, runtime, running } = this.#parts
    const { httpBind, httpPort } = options
    return await this.#change(async () => {
      const pid = await haproxy.find()
      const worker = pid === null ? null : (await runtime.workers(control)).current
      const info = worker === null ? null : await runtime.info(worker, control)
      const apps = (await this.#load()).apps.map(({ app }) => app)
      return {
        isRunning: worker !== null,
        pid,
        uptimeSeconds: info ? Number(info.get('Uptime_sec')) : null,
        version: info?.get('Version') ?? null,
        httpBind,
        httpPort,
        load: worker === null ? null : await running.load(apps, worker, control),
      }
    }, control)
  }

  async unservedPorts(): Promise<UnservedPort[]> {
    return await this.#parts.files.unserved(this.#listening())
  }

  async routes(): Promise<AppRoutes[]> {
    return (await this.#queue.run(() => this.#load())).apps
  }

  async stop(control: Control): Promise<void> {
    await this.#change(async () => {
      const { haproxy } = this.#parts
      if ((await haproxy.find()) !== null) await this.#counts.take(control)
      await haproxy.stop({ deadlineMs: stopDeadlineMs }, control)
    }, control)
  }

  /** One at a time: what is compared with the running HAProxy must not change under the comparison. */
  async #change<T>(task: () => Promise<T>, { signal }: Control): Promise<T> {
    return await this.#queue.run(task, signal)
  }

  /** A HAProxy that dies in the middle is started again from the files, and what was to be done is done once more. */
  async #changeAlive<T>(task: () => Promise<T>, control: Control): Promise<T> {
    return await this.#change(async () => {
      try {
        return await task()
      } catch (error) {
        if (!(await this.#hasDied(error, control))) throw error
        await this.#applyFreePorts(await this.#load(), control)
        return await task()
      }
    }, control)
  }

  /** Its master ends a moment after its worker has. */
  async #hasDied(error: unknown, { signal }: Control): Promise<boolean> {
    if (!(error instanceof RackError) || error.code !== 'host-failed') return false
    const isGone = async () => (await this.#parts.haproxy.find()) === null
    try {
      return await until(isGone, { deadlineMs: 500, what: 'HAProxy to be gone', signal })
    } catch (cause) {
      if (cause instanceof DeadlineError) return false
      throw cause
    }
  }

  async #load(): Promise<RouteTable> {
    this.#table ??= { ...this.#listening(), ...(await this.#parts.files.load()) }
    return this.#table
  }

  #listening(): Listening {
    const { httpBind, httpPort, https } = this.#parts.options
    return { httpBind, httpPort, ...(https && { httpsPort: https.port }) }
  }

  /** Writes the table and brings HAProxy to it; a table that HAProxy cannot take up is taken back. */
  async #commit(table: RouteTable, control: Control): Promise<void> {
    const before = await this.#load()
    const [lost] = await newPortsOfOthers(before, table)
    const taken = lost ?? (await entrancePortOfOthers(before, table))
    if (taken) throw taken
    this.#table = table
    try {
      await this.#bring(table, control)
    } catch (error) {
      await this.#takeBack(before, control, error)
      throw error
    }
  }

  /**
   * What HAProxy or its files could not take up would keep a revived router down, and fail every change of another app.
   * Other failures leave the new table for the next call to finish.
   */
  async #takeBack(before: RouteTable, control: Control, error: unknown): Promise<void> {
    if (control.signal.aborted) return
    if (error instanceof RackError && !['port-taken', 'internal'].includes(error.code)) return
    this.#table = before
    await this.#parts.files.write({ table: before, served: this.#served(before) }, control)
  }

  /** What of a table can be served now, with the domains that there are now. */
  #served(table: RouteTable): RouteTable {
    const { domains } = this.#parts.options
    return withDomains(withoutPorts(table, this.#blocked), domains?.current() ?? [])
  }

  async #bring(table: RouteTable, control: Control): Promise<void> {
    this.#isBrought = false
    await this.#bringTo(table, control)
    this.#isBrought = true
  }

  async #bringTo(table: RouteTable, control: Control): Promise<void> {
    const { haproxy, running, files } = this.#parts
    const served = this.#served(table)
    const { structure, maps, hold, shown } = await files.write({ table, served }, control)
    if ((await haproxy.find()) === null) {
      await haproxy.start(control)
      return
    }
    if ((await running.structure(control)) !== structure) {
      await this.#counts.acrossReload(() => haproxy.reload(structure, control), control)
      return
    }
    // Before its host is reached by a new copy, and after nobody is sent where it is not shown.
    if (shown) await running.applyShown(shown, control)
    await running.applyHosts(maps, control)
    await running.applyServers(served, hold, control)
  }

  /** A port that was lost to another program, say at a reboot, must not keep every app down. */
  async #applyFreePorts(table: RouteTable, control: Control): Promise<void> {
    this.#blocked = await portsStillHeld(table, this.#blocked)
    for (;;) {
      try {
        await this.#bring(table, control)
        return
      } catch (error) {
        const port = portTaken(error)
        if (port === null || this.#blocked.includes(port) || !sparablePorts(table).includes(port)) throw error
        this.#blocked = [...this.#blocked, port]
      }
    }
  }

  /** Ends connections of shares and ways that are in the table no more. */
  async #cutGone(control: Control): Promise<void> {
    const { runtime, running } = this.#parts
    if ((await runtime.workers(control)).leaving.length === 0) return
    await running.cutGone(isGoneBackend(await this.#load()), control)
  }

  /** Finishes the leaving of servers whose retirement was interrupted, or that an apply took out. */
  async #sweep(control: Control): Promise<void> {
    const { running } = this.#parts
    const table = await this.#load()
    const leaving = (await running.leaving(table, control)).filter(
      ({ server }) => !this.#retiring.has(server),
    )
    if (leaving.length > 0) await this.#counts.take(control)
    for (const { server, drainMs, leftMs } of leaving) {
      if ((await running.busy([server], control)) > 0) {
        if (leftMs < drainMs) continue
        await running.cut([server], control)
      }
      await running.remove(server, control)
    }
  }
}
