import type { Reply } from '../../client/client-types.ts'

type AppUsage = Reply<'readUsage'>[number]
type TypeUsage = AppUsage['processes'][string]
type CopyUsage = TypeUsage['copies'][number]

/** What is shown of an app, of a process type or of a copy; null is not known, or not yet. */
export interface Figures {
  /** Of one core ×100. */
  cpuPercent: number | null
  memoryBytes: number | null
  /** Null where one of those that run has no limit. */
  memoryLimitBytes: number | null
  requestsPerSecond: number | null
  errorsPerSecond: number | null
  /** Until the first byte of an answer: a mean of the newest, in which each copy counts by what it has answered. */
  answerMs: number | null
  /** Of a type and of an app: of the copies that are gone too. */
  restarts: number
  outOfMemory: number
}

export interface AppView extends Figures {
  app: string
  processes: TypeView[]
}

export interface TypeView extends Figures {
  type: string
  wanted: number
  running: number
  copies: CopyView[]
}

export interface CopyView
  extends Figures, Pick<CopyUsage, 'id' | 'kind' | 'status' | 'detail' | 'release' | 'started'> {}

export const orders = ['cpu', 'memory', 'requests', 'errors', 'restarts', 'name'] as const
export type Order = (typeof orders)[number]

/** What happened between two readings, as apps, their processes and the copies of these, each sorted. */
export function viewUsage(before: AppUsage[], now: AppUsage[], order: Order): AppView[] {
  const known = new Map(before.map((usage) => [usage.app, usage]))
  const views = now.map((usage) => viewApp(known.get(usage.app), usage, order))
  return sorted(views, order, ({ app }) => app)
}

function viewApp(before: AppUsage | undefined, now: AppUsage, order: Order): AppView {
  const types = Object.entries(now.processes).map(([type, usage]) =>
    viewType(before?.processes[type], { type, ...usage }, [before?.time, now.time], order),
  )
  const rate = (count: 'requests' | 'failed') =>
    rateOf([before?.traffic[count], now.traffic[count]], [before?.time, now.time])
  return {
    app: now.app,
    ...sumOf(types),
    // What no copy was given is the app's too.
    requestsPerSecond: rate('requests'),
    errorsPerSecond: rate('failed'),
    answerMs: meanAnswer(Object.values(now.processes).flatMap(({ copies }) => copies)),
    processes: sorted(types, order, ({ type }) => type),
  }
}

type Times = [before: string | undefined, now: string]

function viewType(
  before: TypeUsage | undefined,
  now: TypeUsage & { type: string },
  times: Times,
  order: Order,
): TypeView {
  const known = new Map(before?.copies.map((copy) => [copy.id, copy]))
  const copies = now.copies.map((copy) => viewCopy(known.get(copy.id), copy, times))
  return {
    type: now.type,
    wanted: now.wanted,
    running: now.copies.filter(({ status }) => status === 'running').length,
    ...sumOf(copies),
    answerMs: meanAnswer(now.copies),
    ...now.ended,
    copies: sorted(copies, order, ({ id }) => id),
  }
}

function viewCopy(before: CopyUsage | undefined, now: CopyUsage, times: Times): CopyView {
  const { id, kind, status, detail, release, started, restarts, outOfMemory, usage, traffic } = now
  const share =
    usage && rateOf([before?.usage?.cpuSeconds, usage.cpuSeconds], [before?.usage?.time, usage.time])
  const rate = (count: 'requests' | 'failed') =>
    traffic && rateOf([before?.traffic?.[count], traffic[count]], times)
  return {
    id,
    kind,
    status,
    detail,
    release,
    started,
    cpuPercent: share === null ? null : rounded(share * 100),
    memoryBytes: usage?.memoryBytes ?? null,
    memoryLimitBytes: usage?.memoryLimitBytes ?? null,
    requestsPerSecond: rate('requests'),
    errorsPerSecond: rate('failed'),
    answerMs: traffic?.answerMs ?? null,
    restarts,
    outOfMemory: outOfMemory ?? 0,
  }
}

/** By second. A counter that is less than before has begun anew. */
function rateOf([before, now]: [number | undefined, number], [since, until]: Times): number | null {
  if (before === undefined || since === undefined) return null
  const seconds = (Date.parse(until) - Date.parse(since)) / 1000
  return seconds > 0 ? rounded((now < before ? now : now - before) / seconds) : null
}

function sumOf(parts: Figures[]): Figures {
  const sum = (key: keyof Figures): number | null => {
    const values = parts.flatMap((part) => part[key] ?? [])
    return values.length === 0 ? null : rounded(values.reduce((all, value) => all + value, 0))
  }
  const isLimited = parts.every(
    ({ memoryBytes, memoryLimitBytes }) => memoryBytes === null || memoryLimitBytes !== null,
  )
  return {
    cpuPercent: sum('cpuPercent'),
    memoryBytes: sum('memoryBytes'),
    memoryLimitBytes: isLimited ? sum('memoryLimitBytes') : null,
    requestsPerSecond: sum('requestsPerSecond'),
    errorsPerSecond: sum('errorsPerSecond'),
    answerMs: null,
    restarts: sum('restarts') ?? 0,
    outOfMemory: sum('outOfMemory') ?? 0,
  }
}

function meanAnswer(copies: CopyUsage[]): number | null {
  let [ms, answers] = [0, 0]
  for (const { traffic } of copies) {
    if (!traffic || traffic.answerMs === null) continue
    ms += traffic.answerMs * traffic.requests
    answers += traffic.requests
  }
  return answers > 0 ? rounded(ms / answers) : null
}

/** What has most comes first; what has as much, by its name. */
function sorted<View extends Figures>(views: View[], order: Order, nameOf: (view: View) => string): View[] {
  const most = (view: View) => (order === 'name' ? 0 : (view[measured[order]] ?? -1))
  return views.toSorted((a, b) => most(b) - most(a) || (nameOf(a) < nameOf(b) ? -1 : 1))
}

const measured = {
  cpu: 'cpuPercent',
  memory: 'memoryBytes',
  requests: 'requestsPerSecond',
  errors: 'errorsPerSecond',
  restarts: 'restarts',
} as const

const rounded = (value: number): number => Math.round(value * 100) / 100
