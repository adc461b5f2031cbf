import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { isPortFree } from '../../../lib/free-port.ts'
import { countersSince, createCounterLedger } from './counters.ts'
import type { AppCounters, CounterLedger } from './counters.ts'
import type { HaproxyProcess } from './haproxy-process.ts'
import { retireServers, serversOfProcesses } from './retirement.ts'
import type { RouteFiles } from './route-files.ts'
import { allRoutes, checkTable, withApp, withoutPorts, withoutProcesses } from './route-table.ts'
import type { AppRoutes, RouteTable } from './route-table.ts'
import type { RunningRouter } from './running-router.ts'
import type { RuntimeApi } from './runtime-api.ts'
import type { Retirement, Router, RouterOptions, RouterStatus, RunningMeasurement } from './router.ts'

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
  readonly #stalls = new Map<object, { app: string; longestMs: number }>()
  /** TCP ports that another program holds; they are served as soon as they are free. */
  #blocked: readonly number[] = []
  #table: RouteTable | null = null
  #ledger: CounterLedger | null = null

  constructor(parts: RouterParts) {
    this.#parts = parts
  }

  async start(control: Control): Promise<void> {
    await this.#change(async () => {
      await this.#bringWhatIsFree(await this.#load(), control)
    }, control)
  }

  async apply(app: string, routes: AppRoutes | null, control: Control): Promise<void> {
    await this.#change(async () => {
      await this.#commit(withApp(await this.#load(), app, routes), control)
      if (routes === null) await this.#forget(app, control)
    }, control)
  }

  async replace(apps: readonly AppRoutes[], control: Control): Promise<void> {
    await this.#change(async () => {
      const sorted = apps.toSorted((a, b) => (a.app < b.app ? -1 : 1))
      await this.#commit(checkTable({ ...(await this.#load()), apps: sorted }), control)
    }, control)
  }

  async retire(
    { app, processes, deadlineMs }: Retirement,
    control: Control,
  ): Promise<{ cutConnections: number }> {
    const { running, haproxy } = this.#parts
    const servers = await this.#change(async () => {
      const table = await this.#load()
      const leaving = (await haproxy.find()) === null ? [] : await running.leaving(table, control)
      const found = serversOfProcesses(table, { app, processes }, leaving)
      await this.#commit(withoutProcesses(table, app, processes), control)
      await running.drain(found, control)
      for (const server of found) this.#retiring.add(server)
      return found
    }, control)
    try {
      const exclusively = <T>(step: () => Promise<T>) => this.#change(step, control)
      const count = () => this.#count(control)
      return await retireServers({ servers, deadlineMs, running, exclusively, count }, control)
    } finally {
      for (const server of servers) this.#retiring.delete(server)
    }
  }

  async counters(app: string, control: Control): Promise<AppCounters> {
    return await this.#change(async () => (await this.#count(control)).read(app), control)
  }

  async measure(app: string, control: Control): Promise<RunningMeasurement> {
    const key = {}
    const before = await this.#change(async () => {
      const ledger = await this.#count(control)
      await this.#parts.running.clearMaxima(control)
      this.#stalls.set(key, { app, longestMs: 0 })
      return ledger.read(app)
    }, control)
    return {
      end: async (last) =>
        await this.#change(async () => {
          const after = (await this.#count(last)).read(app)
          const longestStallMs = this.#stalls.get(key)?.longestMs ?? 0
          this.#stalls.delete(key)
          return { ...countersSince(before, after), longestStallMs }
        }, last),
    }
  }

  async ensureRunning(control: Control): Promise<{ isRevived: boolean }> {
    const { haproxy, runtime } = this.#parts
    return await this.#change(async () => {
      const isDead = (await haproxy.find()) === null
      await this.#bringWhatIsFree(await this.#load(), control)
      await this.#sweep(control)
      // So that little is lost of what a replaced worker counts until its end.
      if ((await runtime.workers(control)).leaving.length > 0) await this.#count(control)
      await haproxy.trimLog()
      return { isRevived: isDead }
    }, control)
  }

  async status(control: Control): Promise<RouterStatus> {
    const { options, haproxy, runtime } = this.#parts
    const { httpBind, httpPort } = options
    return await this.#change(async () => {
      const pid = await haproxy.find()
      const worker = pid === null ? null : (await runtime.workers(control)).current
      const info = worker === null ? null : await runtime.info(worker, control)
      return {
        isRunning: worker !== null,
        pid,
        uptimeSeconds: info ? Number(info.get('Uptime_sec')) : null,
        version: info?.get('Version') ?? null,
        httpBind,
        httpPort,
        blockedPorts: this.#blocked,
      }
    }, control)
  }

  async routes(): Promise<AppRoutes[]> {
    return (await this.#queue.run(() => this.#load())).apps
  }

  async stop(control: Control): Promise<void> {
    await this.#change(async () => {
      const { haproxy } = this.#parts
      if ((await haproxy.find()) !== null) await this.#count(control)
      await haproxy.stop({ deadlineMs: stopDeadlineMs }, control)
    }, control)
  }

  /** One at a time: what is compared with the running HAProxy must not change under the comparison. */
  async #change<T>(task: () => Promise<T>, { signal }: Control): Promise<T> {
    return await this.#queue.run(task, signal)
  }

  async #load(): Promise<RouteTable> {
    const { options, files } = this.#parts
    this.#table ??= { httpBind: options.httpBind, httpPort: options.httpPort, apps: await files.load() }
    return this.#table
  }

  /** Writes the table and brings HAProxy to it; a table that HAProxy cannot take up is taken back. */
  async #commit(table: RouteTable, control: Control): Promise<void> {
    const before = await this.#load()
    await this.#checkNewPorts(before, table)
    this.#table = table
    try {
      await this.#bring(table, control)
    } catch (error) {
      await this.#takeBack(before, control, error)
      throw error
    }
  }

  /** Other failures leave the new table for the next call to finish; this one would also keep a revived router down. */
  async #takeBack(before: RouteTable, control: Control, error: unknown): Promise<void> {
    if (!(error instanceof RackError) || !['port-taken', 'internal'].includes(error.code)) return
    this.#table = before
    await this.#parts.files.write({ table: before, served: withoutPorts(before, this.#blocked) }, control)
  }

  async #bring(table: RouteTable, control: Control): Promise<void> {
    const { haproxy, running, files, runtime } = this.#parts
    const served = withoutPorts(table, this.#blocked)
    const { structure } = await files.write({ table, served }, control)
    if ((await haproxy.find()) === null) {
      await haproxy.start(control)
      return
    }
    if ((await running.structure(control)) !== structure) {
      using _hold = await runtime.hold(control)
      await this.#count(control)
      await haproxy.reload(structure, control)
      await this.#count(control)
      return
    }
    await running.bringServers(served, control)
  }

  /** A port that was lost to another program, say at a reboot, must not keep every app down. */
  async #bringWhatIsFree(table: RouteTable, control: Control): Promise<void> {
    this.#blocked = await portsStillHeld(table, this.#blocked)
    for (;;) {
      try {
        await this.#bring(table, control)
        return
      } catch (error) {
        const port = portTaken(error)
        if (port === null || this.#blocked.includes(port) || !tcpPorts(table).includes(port)) throw error
        this.#blocked = [...this.#blocked, port]
      }
    }
  }

  async #checkNewPorts(before: RouteTable, after: RouteTable): Promise<void> {
    const held = new Set(listeners(before))
    for (const { app, kind, route } of allRoutes(after)) {
      if (kind !== 'tcp' || held.has(`${route.bind} ${route.listenPort}`)) continue
      if (await isPortFree(route.bind, route.listenPort)) continue
      throw new RackError(
        'port-taken',
        `port ${route.listenPort} is held by another program on this machine`,
        {
          hint: `Give ${app} another external port, or end the program.`,
          details: { port: route.listenPort, app: null },
        },
      )
    }
  }

  /** Finishes the leaving of servers whose retirement was interrupted, or that an apply took out. */
  async #sweep(control: Control): Promise<void> {
    const { running } = this.#parts
    const table = await this.#load()
    const leaving = (await running.leaving(table, control)).filter(
      ({ server }) => !this.#retiring.has(server),
    )
    if (leaving.length > 0) await this.#count(control)
    for (const { server, drainMs, leftMs } of leaving) {
      if ((await running.busy([server], control)) > 0) {
        if (leftMs < drainMs) continue
        await running.cut([server], control)
      }
      await running.remove(server, control)
    }
  }

  /** Reads the counters of every worker; before they vanish, and when asked. */
  async #count(control: Control): Promise<CounterLedger> {
    const { running, files, haproxy } = this.#parts
    this.#ledger ??= createCounterLedger(await files.loadCounters())
    const readings = (await haproxy.find()) === null ? new Map() : await running.statistics(control)
    this.#ledger.record(readings)
    for (const stall of this.#stalls.values()) {
      for (const { backend, server, longestMs } of Array.from(readings.values()).flat()) {
        if (server === null && backend.startsWith(`${stall.app}.`))
          stall.longestMs = Math.max(stall.longestMs, longestMs)
      }
    }
    await files.writeCounters(this.#ledger.state())
    return this.#ledger
  }

  async #forget(app: string, control: Control): Promise<void> {
    const ledger = await this.#count(control)
    ledger.drop(app)
    await this.#parts.files.writeCounters(ledger.state())
  }
}

function portTaken(error: unknown): number | null {
  if (!(error instanceof RackError) || error.code !== 'port-taken') return null
  return (error.details as { port?: number } | undefined)?.port ?? null
}

function tcpPorts(table: RouteTable): number[] {
  return allRoutes(table).flatMap(({ kind, route }) => (kind === 'tcp' ? [route.listenPort] : []))
}

async function portsStillHeld(table: RouteTable, blocked: readonly number[]): Promise<number[]> {
  const held: number[] = []
  for (const { kind, route } of allRoutes(table)) {
    if (kind !== 'tcp' || !blocked.includes(route.listenPort)) continue
    if (!(await isPortFree(route.bind, route.listenPort))) held.push(route.listenPort)
  }
  return held
}

function listeners(table: RouteTable): string[] {
  return allRoutes(table).flatMap(({ kind, route }) =>
    kind === 'tcp' ? [`${route.bind} ${route.listenPort}`] : [],
  )
}
