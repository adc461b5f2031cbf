import type { AppUsage, CopyUsage, TypeUsage } from '../../domain/app-usage.ts'
import type { Control } from '../../domain/control.ts'
import { appOwner, isOfApp, ofApp } from '../../domain/owner.ts'
import type { AppProcess, Usage } from '../../domain/process.ts'
import type { Ends } from '../../domain/process-news.ts'
import type { ServedTraffic } from '../../domain/traffic.ts'
import type { Context } from '../context.ts'
import { findApp } from '../find.ts'

/** What apps take and serve now, by name: of one or of all. */
export async function readUsage(
  context: Context,
  { app }: { app?: string | undefined },
  control: Control,
): Promise<AppUsage[]> {
  const { store, engine, host } = context
  const found = app === undefined ? await store.apps.list() : [await findApp(context, app)]
  const apps = found.map(({ name }) => name).sort()
  const filter = app === undefined ? {} : { owner: appOwner(app) }
  const [processes, usages, served, ends] = await Promise.all([
    engine.processes(filter, control),
    engine.usage(filter, control),
    host.traffic(apps, control),
    store.processes.ends(),
  ])
  const time = context.now().toISOString()
  const copies = Map.groupBy(processes.filter(isOfApp).map(ofApp), (copy) => copy.app)
  const taken = new Map(usages.map((usage) => [usage.process, usage]))
  return await Promise.all(
    apps.map(async (name): Promise<AppUsage> => {
      const { requests = 0, failed = 0, copies: given = {} }: Partial<ServedTraffic> = served[name] ?? {}
      const wanted = Object.entries(await store.formations.get(name))
      const types = new Map<string, TypeUsage>(
        wanted.map(([type, { count }]) => [
          type,
          { wanted: count, ended: endedOf(ends, name, type), copies: [] },
        ]),
      )
      for (const copy of copies.get(name) ?? []) {
        const known = types.get(copy.type) ?? { wanted: 0, ended: endedOf(ends, name, copy.type), copies: [] }
        types.set(copy.type, known)
        known.copies.push(copyOf(copy, taken.get(copy.id), given))
      }
      return { app: name, time, traffic: { requests, failed }, processes: Object.fromEntries(types) }
    }),
  )
}

type KnownEnds = Ends & { app: string; type: string }

function endedOf(ends: KnownEnds[], app: string, type: string): Ends {
  const { restarts = 0, outOfMemory = 0 }: Partial<Ends> =
    ends.find((known) => known.app === app && known.type === type) ?? {}
  return { restarts, outOfMemory }
}

function copyOf(
  { id, kind, status, detail, release, started, restarts, outOfMemory }: AppProcess,
  taken: Usage | undefined,
  given: ServedTraffic['copies'],
): CopyUsage {
  const { process: _process, ...usage } = taken ?? { process: null }
  return {
    id,
    kind,
    status,
    detail,
    release,
    started,
    restarts,
    outOfMemory,
    usage: 'time' in usage ? usage : null,
    traffic: given[id] ?? null,
  }
}
