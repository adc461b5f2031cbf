import type { CopyTraffic, Tally } from '../domain/traffic.ts'
import { appOfBackend, handoverServer, readServerName } from './route-table.ts'
import type { Statistics } from './runtime-api.ts'

/** What one line of a worker's statistics has counted. */
interface LineTally extends Tally {
  held?: number | undefined
}

/** Counted since the app's first route; the difference of two readings is what happened between them. */
export interface AppCounters extends Tally {
  /** By the release that started the copy; what no copy was given is only in the sum. */
  releases: Record<string, Tally>
  /** Those that have waited for a copy that was due. */
  held: number
}

/** The persistent form: what was settled, and the last reading of each worker by app, line and worker. */
export interface CounterState {
  settled: Record<string, AppCounters>
  open: Record<string, Record<string, LineTally>>
}

/**
 * Adds up the counters of workers and servers that come and go: HAProxy forgets a server's counters with the
 * server, and all of them at a reload.
 */
export interface CounterLedger {
  /** Takes a reading of every worker that lives; the last readings of workers and servers not in it are settled. */
  record(readings: ReadonlyMap<string, readonly Statistics[]>): void
  read(app: string): AppCounters
  drop(app: string): void
  state(): CounterState
}

const keptReleases = 50

export function createCounterLedger(initial: CounterState = { settled: {}, open: {} }): CounterLedger {
  const settled = new Map(Object.entries(initial.settled).map(([app, sum]) => [app, whole(sum)]))
  const open = new Map(
    Object.entries(initial.open).map(([worker, lines]) => [worker, new Map(Object.entries(lines))]),
  )

  const settle = (line: string, tally: LineTally) => {
    const app = appOfBackend(line)
    if (app === null) return
    const sum = settled.get(app) ?? nothing()
    settled.set(app, sum)
    addLine(sum, line, tally)
  }

  const recordWorker = (worker: string, statistics: readonly Statistics[]) => {
    const before = open.get(worker)
    const now = new Map(statistics.filter(isOfApp).map((row) => [lineName(row), tallyOf(row)]))
    for (const [line, tally] of before ?? []) {
      // Less than before: another server of the same name.
      const next = now.get(line)
      if (!next || next.requests < tally.requests) settle(line, tally)
    }
    open.set(worker, now)
  }

  return {
    record(readings) {
      for (const [worker, lines] of open) {
        if (readings.has(worker)) continue
        for (const [line, tally] of lines) settle(line, tally)
        open.delete(worker)
      }
      for (const [worker, statistics] of readings) recordWorker(worker, statistics)
    },
    read(app) {
      const sum: AppCounters = structuredClone(settled.get(app) ?? nothing())
      for (const lines of open.values()) {
        for (const [line, tally] of lines) if (appOfBackend(line) === app) addLine(sum, line, tally)
      }
      return sum
    },
    drop(app) {
      settled.delete(app)
      for (const lines of open.values()) {
        for (const line of lines.keys()) if (appOfBackend(line) === app) lines.delete(line)
      }
    },
    state: () => ({
      settled: Object.fromEntries(settled),
      open: Object.fromEntries(Array.from(open, ([worker, lines]) => [worker, Object.fromEntries(lines)])),
    }),
  }
}

/** The difference of two readings; of an app whose last route went meanwhile, what was counted since. */
export function countersSince(before: AppCounters, after: AppCounters): AppCounters {
  const hasBegunAnew = after.requests < before.requests || after.failed < before.failed
  if (hasBegunAnew) return after
  const minus = (a: Tally, b: Tally | undefined): Tally => ({
    requests: a.requests - (b?.requests ?? 0),
    failed: a.failed - (b?.failed ?? 0),
  })
  const releases = Object.entries(after.releases).map(
    ([id, tally]) => [id, minus(tally, before.releases[id])] as const,
  )
  return {
    ...minus(after, before),
    held: after.held - before.held,
    releases: Object.fromEntries(releases.filter(([, { requests }]) => requests > 0)),
  }
}

/** How long copies of each release of an app take to answer, ms: a mean, in which each counts by what it has answered. */
export function answerTimes(rows: readonly Statistics[], app: string): Record<string, number> {
  const sums = new Map<string, { ms: number; answers: number }>()
  for (const { backend, server, mode, requests, answerMs } of rows) {
    const release = server === null ? undefined : readServerName(server)?.release
    if (release === undefined || mode === 'tcp' || requests === 0 || appOfBackend(backend) !== app) continue
    const { ms, answers } = sums.get(release) ?? { ms: 0, answers: 0 }
    sums.set(release, { ms: ms + answerMs * requests, answers: answers + requests })
  }
  return Object.fromEntries(Array.from(sums, ([release, { ms, answers }]) => [release, ms / answers]))
}

/** What the copies of an app were given that have a server now, and how long each takes to answer. */
export function copyTraffic(rows: readonly Statistics[], app: string): Record<string, CopyTraffic> {
  const copies = new Map<string, CopyTraffic>()
  for (const row of rows) {
    const id = row.server === null ? undefined : readServerName(row.server)?.process
    if (id === undefined || appOfBackend(row.backend) !== app) continue
    const known = copies.get(id) ?? { requests: 0, failed: 0, answerMs: null }
    const { requests, failed } = tallyOf(row)
    const all = known.requests + requests
    // Of several ports and workers each counts by what it has answered.
    const answers = row.mode !== 'tcp' && row.requests > 0
    const answerMs = answers
      ? ((known.answerMs ?? row.answerMs) * known.requests + row.answerMs * requests) / all
      : known.answerMs
    copies.set(id, { requests: all, failed: known.failed + failed, answerMs })
  }
  return Object.fromEntries(copies)
}

/** An earlier version has counted nothing that waited. */
const whole = (sum: Partial<AppCounters>): AppCounters => ({ ...nothing(), ...sum })

function nothing(): AppCounters {
  return { requests: 0, failed: 0, held: 0, releases: {} }
}

function isOfApp({ backend }: Statistics): boolean {
  return appOfBackend(backend) !== null
}

function lineName({ backend, server }: Statistics): string {
  return `${backend}/${server ?? ''}`
}

function tallyOf({
  mode,
  server,
  requests,
  serverErrors,
  connectErrors,
  responseErrors,
  serverAborts,
  held,
}: Statistics): LineTally {
  if (mode === 'tcp') return { requests, failed: connectErrors, held }
  // The line of a backend has the router's own 502, 503 and 504 among its statuses.
  if (server === null) return { requests, failed: serverErrors + serverAborts, held }
  // The line of a server counts answers: a request without a whole head of one is only in its errors.
  return { requests: requests + responseErrors, failed: serverErrors + responseErrors + serverAborts }
}

function addLine(sum: AppCounters, line: string, { requests, failed, held = 0 }: LineTally): void {
  const server = line.slice(line.indexOf('/') + 1)
  const release = readServerName(server)?.release
  if (server === '') {
    sum.requests += requests
    sum.failed += failed
    sum.held += held
  } else if (server === handoverServer) {
    // Whoever it was handed to counts it.
    sum.requests -= requests
    sum.failed -= failed
  } else if (release !== undefined) {
    const known = sum.releases[release] ?? { requests: 0, failed: 0 }
    sum.releases[release] = { requests: known.requests + requests, failed: known.failed + failed }
    const [oldest] = Object.keys(sum.releases)
    if (Object.keys(sum.releases).length > keptReleases && oldest !== undefined) delete sum.releases[oldest]
  }
}
