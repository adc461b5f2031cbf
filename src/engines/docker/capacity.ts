import type { Control } from '../../domain/control.ts'
import { buildReservation, capacityOf, type Capacity, type Holder } from '../../domain/rack.ts'
import type { ContainerState, ContainerSummary } from './containers/docker-types.ts'
import { listContainers } from './containers/found-copy.ts'
import { readLabels } from './labels.ts'
import type { EngineParts } from './parts.ts'

/** What has ended reserves nothing; what Docker is about to start again does. */
const reserving: ReadonlySet<ContainerState> = new Set(['created', 'running', 'paused', 'restarting'])

/** Adds up what containers and builds reserve. */
export async function readCapacity(
  parts: EngineParts,
  builds: { app: string }[],
  control: Control,
): Promise<Capacity> {
  const found = await listContainers(parts.docker, parts.rack, {}, control)
  return capacityOf(parts.total, [...holdersOf(found), ...buildHolders(builds)])
}

/** Groups containers by app, type, kind and size. */
export function holdersOf(containers: ContainerSummary[]): Holder[] {
  const holders = new Map<string, Holder>()
  for (const { Labels, State } of containers) {
    const known = readLabels(Labels)
    if (!known || !reserving.has(State)) continue
    const { app, type, cpuUnits, memoryBytes } = known
    const kind = known.kind === 'process' || known.kind === 'agent' ? 'process' : 'one-off'
    const key = JSON.stringify([app, type, kind, cpuUnits, memoryBytes])
    const holder = holders.get(key) ?? { app, type, kind, count: 0, each: { cpuUnits, memoryBytes } }
    holder.count++
    holders.set(key, holder)
  }
  return [...holders.values()]
}

function buildHolders(builds: { app: string }[]): Holder[] {
  const groups = Map.groupBy(builds, ({ app }) => app)
  return Array.from(groups, ([app, { length: count }]) => ({
    app,
    type: 'build',
    kind: 'build' as const,
    count,
    each: buildReservation,
  }))
}
