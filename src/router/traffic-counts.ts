import type { Control } from '../domain/control.ts'
import type { ServedTraffic } from '../domain/traffic.ts'
import { answerTimes, copyTraffic, countersSince, createCounterLedger } from './counters.ts'
import type { AppCounters, CounterLedger } from './counters.ts'
import type { HaproxyProcess } from './haproxy-process.ts'
import type { RouteFiles } from './route-files.ts'
import type { Measurement } from './router.ts'
import type { RunningRouter } from './running-router.ts'
import type { RuntimeApi, Statistics } from './runtime-api.ts'

export interface CountedParts {
  runtime: RuntimeApi
  haproxy: HaproxyProcess
  running: RunningRouter
  files: RouteFiles
}

/** What one measurement has seen so far. */
interface Measuring {
  app: string
  before: AppCounters
  longestMs: number
}

/** What every worker of the router has served, those included that a reload has replaced. */
export class TrafficCounts {
  readonly #parts: CountedParts
  /** Replaced workers by their process ids: each is kept from ending until it has been counted for the last time. */
  readonly #held = new Map<number, Disposable>()
  readonly #measuring = new Set<Measuring>()
  /** Of the last reading. */
  #rows: Statistics[] = []
  #ledger: CounterLedger | null = null

  constructor(parts: CountedParts) {
    this.#parts = parts
  }

  /** Reads the counters of every worker; before they vanish, and when asked. */
  async take(control: Control): Promise<CounterLedger> {
    const { running, files, haproxy } = this.#parts
    this.#ledger ??= createCounterLedger(await files.loadCounters())
    const isRunning = (await haproxy.find()) !== null
    // Asked before the reading: what has no client now will have none again.
    const done = isRunning ? await this.#withoutClients(control) : [...this.#held.keys()]
    const readings = isRunning ? await running.statistics(control) : new Map<string, Statistics[]>()
    this.#ledger.record(readings)
    this.#rows = [...readings.values()].flat()
    this.#noteStalls(this.#rows)
    await files.writeCounters(this.#ledger.state())
    for (const worker of done) this.#letGo(worker)
    return this.#ledger
  }

  async served(apps: readonly string[], control: Control): Promise<Record<string, ServedTraffic>> {
    const ledger = await this.take(control)
    const rows = this.#rows
    return Object.fromEntries(
      apps.map((app) => [
        app,
        { ...ledger.read(app), answerMs: answerTimes(rows, app), copies: copyTraffic(rows, app) },
      ]),
    )
  }

  async forget(app: string, control: Control): Promise<void> {
    const ledger = await this.take(control)
    ledger.drop(app)
    await this.#parts.files.writeCounters(ledger.state())
  }

  /** Counts across a reload, which starts a new worker, and the old one ends with its last client. */
  async acrossReload(reload: () => Promise<void>, control: Control): Promise<void> {
    const { runtime } = this.#parts
    const { current } = await runtime.workers(control)
    const hold = await runtime.hold(control)
    try {
      await this.take(control)
      await reload()
    } catch (error) {
      hold[Symbol.dispose]()
      throw error
    }
    if (current === null) hold[Symbol.dispose]()
    else this.#held.set(current, hold)
    await this.take(control)
  }

  async begin(app: string, control: Control): Promise<Measuring> {
    const ledger = await this.take(control)
    await this.#parts.running.clearMaxima(control)
    const measuring = { app, before: ledger.read(app), longestMs: 0 }
    this.#measuring.add(measuring)
    return measuring
  }

  async end(measuring: Measuring, control: Control): Promise<Measurement> {
    const after = (await this.take(control)).read(measuring.app)
    this.#measuring.delete(measuring)
    return { ...countersSince(measuring.before, after), longestStallMs: measuring.longestMs }
  }

  /** The held workers whose last client is gone, or that are gone themselves. */
  async #withoutClients(control: Control): Promise<number[]> {
    if (this.#held.size === 0) return []
    const clients = await this.#parts.running.clientsOfReplaced(control)
    return [...this.#held.keys()].filter((worker) => (clients.get(worker) ?? 0) === 0)
  }

  #letGo(worker: number): void {
    this.#held.get(worker)?.[Symbol.dispose]()
    this.#held.delete(worker)
  }

  #noteStalls(rows: Statistics[]): void {
    for (const measuring of this.#measuring) {
      for (const { backend, server, longestMs } of rows) {
        if (server === null && backend.startsWith(`${measuring.app}.`))
          measuring.longestMs = Math.max(measuring.longestMs, longestMs)
      }
    }
  }
}
