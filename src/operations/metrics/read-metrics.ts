import type { Control } from '../../domain/control.ts'
import type { Metric, Sample } from '../../domain/metrics.ts'
import { isOfApp, ofApp, type OfApp } from '../../domain/owner.ts'
import type { Process, Usage } from '../../domain/process.ts'
import type { Ends } from '../../domain/process-news.ts'
import type { Resources } from '../../domain/rack.ts'
import type { ServedTraffic } from '../../domain/traffic.ts'
import type { Context } from '../context.ts'

/** All that can be watched, as it is now: what the router, the engine, the journal and the machine say. */
export async function readMetrics(context: Context, control: Control): Promise<Metric[]> {
  const apps = (await context.store.apps.list()).map(({ name }) => name)
  const [traffic, copies, rack] = await Promise.all([
    trafficMetrics(context, apps, control),
    copyMetrics(context, apps, control),
    rackMetrics(context, control),
  ])
  return [...rack, ...traffic, ...copies, ...(await changeMetrics(context, apps))]
}

async function trafficMetrics(context: Context, apps: string[], control: Control): Promise<Metric[]> {
  const [served, { router }] = await Promise.all([
    context.host.traffic(apps, control),
    context.host.describe(),
  ])
  const open = Object.entries(router.load?.apps ?? {}).filter(([app]) => apps.includes(app))
  return [
    ...appTraffic(Object.entries(served)),
    ...releaseTraffic(Object.entries(served)),
    gauge(
      'rack_app_requests_under_way',
      'Requests and connections now',
      open.map(([app, { underWay }]) => ({ labels: { app }, value: underWay })),
    ),
    gauge('rack_router_connections', 'From outside, now', one(router.load?.connections)),
    gauge(
      'rack_router_connections_most',
      'From outside at once, at most',
      one(router.load?.shares.connections),
    ),
  ]
}

type Served = [app: string, traffic: ServedTraffic][]

function appTraffic(served: Served): Metric[] {
  const each = (value: (traffic: ServedTraffic) => number): Sample[] =>
    served.map(([app, traffic]) => ({ labels: { app }, value: value(traffic) }))
  return [
    counter(
      'rack_app_requests_total',
      'Requests, and connections of TCP, of an app',
      each((app) => app.requests),
    ),
    counter(
      'rack_app_errors_total',
      'Those that failed: answered from 500 on, or cut',
      each((app) => app.failed),
    ),
    counter(
      'rack_app_held_requests_total',
      'Those that waited for a copy that was due',
      each((app) => app.held),
    ),
  ]
}

function releaseTraffic(served: Served): Metric[] {
  const each = (values: (traffic: ServedTraffic) => [release: string, value: number][]): Sample[] =>
    served.flatMap(([app, traffic]) =>
      values(traffic).map(([release, value]) => ({ labels: { app, release }, value })),
    )
  const tallies = (key: 'requests' | 'failed') =>
    each(({ releases }) => Object.entries(releases).map(([release, tally]) => [release, tally[key]]))
  return [
    counter(
      'rack_release_requests_total',
      'Requests that copies of a release were given',
      tallies('requests'),
    ),
    counter('rack_release_errors_total', 'Those of them that failed', tallies('failed')),
    gauge(
      'rack_release_answer_seconds',
      'Until the first byte of an answer: a mean over the newest of each copy',
      each(({ answerMs }) => Object.entries(answerMs).map(([release, ms]) => [release, ms / 1000])),
    ),
  ]
}

async function copyMetrics(context: Context, apps: string[], control: Control): Promise<Metric[]> {
  const [found, usages, ends] = await Promise.all([
    context.engine.processes({}, control),
    context.engine.usage({}, control),
    context.store.processes.ends(),
  ])
  const copies = found.flatMap((each): OfApp<Process>[] =>
    (each.kind === 'process' || each.kind === 'agent') && isOfApp(each) ? [ofApp(each)] : [],
  )
  const byType = Map.groupBy(copies, ({ app, type }) => JSON.stringify([app, type]))
  const perType = (value: (copies: OfApp<Process>[]) => number): Sample[] =>
    [...byType.values()].map((same) => ({ labels: labelsOf(same[0]!), value: value(same) }))
  const wanted = await Promise.all(
    apps.map(async (app) =>
      Object.entries(await context.store.formations.get(app)).map(([type, { count }]) => ({
        labels: { app, process: type },
        value: count,
      })),
    ),
  )
  const serves = ({ status }: OfApp<Process>) => status === 'running'
  return [
    gauge('rack_copies_wanted', 'Copies of a process type that shall run', wanted.flat()),
    gauge(
      'rack_copies_healthy',
      'Copies that run and pass their checks',
      perType((same) => same.filter(serves).length),
    ),
    gauge(
      'rack_copies_restarts',
      'How often the copies that are there were started again; a new copy begins at 0',
      perType((same) => same.reduce((sum, { restarts }) => sum + restarts, 0)),
    ),
    ...endMetrics(ends),
    ...usageMetrics(copies, usages),
  ]
}

function endMetrics(ends: (Ends & { app: string; type: string })[]): Metric[] {
  const perType = (count: keyof Ends): Sample[] =>
    ends.map((each) => ({ labels: labelsOf(each), value: each[count] }))
  return [
    counter(
      'rack_process_restarts_total',
      'How often copies of a process type were started again, also those that are gone: kept through restarts of the rack, as long as the app is there',
      perType('restarts'),
    ),
    counter(
      'rack_process_out_of_memory_total',
      'How often one of them ended for want of memory: kept as well; what happens while the rack is stopped counts as far as the engine remembers it',
      perType('outOfMemory'),
    ),
  ]
}

function usageMetrics(copies: OfApp<Process>[], usages: Usage[]): Metric[] {
  const taken = new Map(usages.map((usage) => [usage.process, usage]))
  const perCopy = (value: (usage: Usage) => number): Sample[] =>
    copies.flatMap((copy) => {
      const usage = taken.get(copy.id)
      return usage ? [{ labels: { ...labelsOf(copy), copy: copy.id }, value: value(usage) }] : []
    })
  return [
    counter(
      'rack_copy_cpu_seconds_total',
      'What a copy has taken of all cores since it was started the last time',
      perCopy(({ cpuSeconds }) => cpuSeconds),
    ),
    gauge(
      'rack_copy_memory_bytes',
      'What a copy has in memory, without what the kernel may take back at once',
      perCopy(({ memoryBytes }) => memoryBytes),
    ),
    gauge(
      'rack_copy_memory_limit_bytes',
      'What it may have',
      perCopy(({ memoryLimitBytes }) => memoryLimitBytes ?? Infinity),
    ),
  ]
}

const labelsOf = ({ app, type }: { app: string; type: string }) => ({ app, process: type })

async function rackMetrics(context: Context, control: Control): Promise<Metric[]> {
  const [{ total, free }, disk] = await Promise.all([
    context.admission.capacity(control),
    context.host.disk(),
  ])
  const amounts = (of: (resources: Resources) => number): Sample[] =>
    Object.entries({ total, free }).map(([state, resources]) => ({ labels: { state }, value: of(resources) }))
  const kept = context.certificates.kept()
  return [
    gauge('rack_info', 'The rack', [
      { labels: { rack: context.rack.name, version: context.rack.version }, value: 1 },
    ]),
    gauge(
      'rack_capacity_cpu_units',
      'CPU, 1024 a core',
      amounts(({ cpuUnits }) => cpuUnits),
    ),
    gauge(
      'rack_capacity_memory_bytes',
      'Memory',
      amounts(({ memoryBytes }) => memoryBytes),
    ),
    gauge(
      'rack_certificate_expiry_timestamp_seconds',
      'Until when a certificate of somebody else is good: one that was brought, or that an authority has given',
      kept.map(({ id, names, until }) => ({ labels: { id, name: names[0] ?? '' }, value: secondsOf(until) })),
    ),
    gauge('rack_disk_bytes', "The disk of the rack's directory", [
      { labels: { state: 'total' }, value: disk.totalBytes },
      { labels: { state: 'free' }, value: disk.freeBytes },
    ]),
    gauge('rack_store_bytes', "The rack's own database; absent where it is elsewhere", one(disk.storeBytes)),
  ]
}

/** How far back a change of each kind is looked for. */
const newestChanges = 50

async function changeMetrics({ store }: Context, apps: string[]): Promise<Metric[]> {
  const changes = await Promise.all(apps.map((app) => store.operations.list(app, newestChanges)))
  const last = new Map<string, Sample>()
  for (const { app, kind, status, ended } of changes.flat()) {
    const labels = { app, kind, status }
    const key = JSON.stringify(labels)
    if (ended !== null && !last.has(key)) last.set(key, { labels, value: secondsOf(ended) })
  }
  return [
    gauge(
      'rack_app_change_timestamp_seconds',
      'The last end of a promote, scale and so on, by how it ended',
      [...last.values()],
    ),
  ]
}

function counter(name: string, help: string, samples: Sample[]): Metric {
  return { name, help, type: 'counter', samples }
}

function gauge(name: string, help: string, samples: Sample[]): Metric {
  return { name, help, type: 'gauge', samples }
}

/** Nothing where it is not known. */
function one(value: number | null | undefined): Sample[] {
  return value === null || value === undefined ? [] : [{ labels: {}, value }]
}

function secondsOf(time: string): number {
  return Date.parse(time) / 1000
}
