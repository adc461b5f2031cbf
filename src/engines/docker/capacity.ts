import type { Control } from '../../domain/control.ts'
import { appOwner, ownerKey } from '../../domain/owner.ts'
import { buildReservation, capacityOf, type Capacity, type Holder } from '../../domain/rack.ts'
import type { ContainerState, ContainerSummary } from './containers/docker-types.ts'
import { listContainers } from './containers/found-copy.ts'
import { readMark } from './containers/names.ts'
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

/** Groups containers by owner, type, kind and size. */
export function holdersOf(containers: ContainerSummary[]): Holder[] {
  const holders = new Map<string, Holder>()
  for (const { Labels, State, Names } of containers) {
    const known = readLabels(Labels)
    if (!known || !reserving.has(State)) continue
    const { owner, type, cpuUnits, memoryBytes, extras } = known
    const staff = readMark(Names[0] ?? '').mark === 'draining' ? 'draining' : 'process'
    const kind = known.kind === 'process' || known.kind === 'agent' ? staff : 'one-off'
    const key = JSON.stringify([ownerKey(owner), type, kind, cpuUnits, memoryBytes, extras])
    const each = { cpuUnits, memoryBytes, ...(extras && { extras }) }
    const holder = holders.get(key) ?? { owner, type, kind, count: 0, each }
    holder.count++
    holders.set(key, holder)
  }
  return [...holders.values()]
}

function buildHolders(builds: { app: string }[]): Holder[] {
  const groups = Map.groupBy(builds, ({ app }) => app)
  return Array.from(groups, ([app, { length: count }]) => ({
    owner: appOwner(app),
    type: 'build',
    kind: 'build' as const,
    count,
    each: buildReservation,
  }))
}
