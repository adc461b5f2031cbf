import { plainContainer, type ContainerOptions, type FileMount } from './container.ts'
import type { EngineFeatures } from './features.ts'
import { networksOf } from './isolation.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import { waysText } from './ways.ts'

/** What the copies of a type must be like to stay. */
export interface CopyRule {
  /** Copies that were made from the same text may stay. */
  identity: string
  /** Copies that were created before this RFC 3339 instant go all the same. */
  replaceBefore: string | null
}

/**
 * What decides whether a running copy may stay, of its own type alone. What a file says nothing about adds nothing to
 * the text: a Rack that learns a new option replaces no copy of an app that does not use it.
 */
export function copyIdentity(processPlan: ProcessPlan): string {
  const {
    imageDigest: image,
    command,
    entrypoint,
    cpuUnits,
    memoryBytes,
    healthcheck,
    restart,
    extras,
  } = processPlan
  const { user, workingDir, init, extraHosts, stopSignal, labels, files, isolation } = processPlan
  const { services, outside, shared } = processPlan
  const { RELEASE: _release, BUILD: _build, ...environment } = processPlan.environment
  const about = { image, command, entrypoint, environment: sorted(environment), user, workingDir, init }
  return JSON.stringify({
    ...about,
    cpuUnits,
    memoryBytes,
    mounts: sortedBy('path', processPlan.mounts),
    healthcheck,
    restart,
    extraHosts,
    stopSignal,
    ...(isolation && { networks: networksOf(isolation), isEnclosed: isolation.isEnclosed }),
    ...(extras && { extras: Object.entries(extras).sort(([a], [b]) => (a < b ? -1 : 1)) }),
    ...(Object.keys(labels).length > 0 && { labels: sorted(labels) }),
    ...(services && { services }),
    ...(outside && { outside }),
    // By what key the other rack lets it in is the router's business.
    ...(shared && {
      shared: shared.map(({ service, names, version, port }) => ({ service, names, version, port })),
    }),
    ...(files.length > 0 && { files: sortedBy('path', files.map(inContainer)) }),
    ...unusual(processPlan.container),
  })
}

/**
 * The rule of each type. One that restarts with others takes over theirs too, and those of the types they restart
 * with; a circle of types is replaced as one.
 */
export function copyRules({ processes }: Plan): Map<string, CopyRule> {
  const types = new Map(processes.map((processPlan) => [processPlan.type, processPlan]))
  return new Map(processes.map((processPlan) => [processPlan.type, ruleOf(processPlan, types)]))
}

/**
 * Types of `plan` whose copies will be replaced or started, compared with what is live.
 * @param engine replaces copies whose external ports are others, where it does not change them in place
 */
export function changedTypes(
  plan: Plan,
  live: Plan | null,
  engine: Pick<EngineFeatures, 'changesPortsInPlace'> = { changesPortsInPlace: true },
): Set<string> {
  const before = live && copyRules(live)
  const rules = [...copyRules(plan)]
  const waysIn = ({ processes }: Plan, type: string) =>
    waysText(processes.find((each) => each.type === type)!)
  const hasOtherWays = (type: string) =>
    !engine.changesPortsInPlace && live && before?.has(type) && waysIn(plan, type) !== waysIn(live, type)
  const changed = rules.filter(
    ([type, { identity, replaceBefore }]) =>
      replaceBefore !== null || before?.get(type)?.identity !== identity || hasOtherWays(type),
  )
  return new Set(changed.map(([type]) => type))
}

function ruleOf(processPlan: ProcessPlan, types: ReadonlyMap<string, ProcessPlan>): CopyRule {
  const others = [...restartedWith(processPlan, types)].sort((a, b) => (a.type < b.type ? -1 : 1))
  const own = copyIdentity(processPlan)
  const moments = [processPlan, ...others].flatMap(({ replaceBefore }) => replaceBefore ?? [])
  return {
    identity: others.length === 0 ? own : JSON.stringify([own, ...others.map(copyIdentity)]),
    replaceBefore: moments.toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1) ?? null,
  }
}

/** All types, other than itself, whose replacement replaces this one's copies. */
function restartedWith(processPlan: ProcessPlan, types: ReadonlyMap<string, ProcessPlan>): Set<ProcessPlan> {
  const found = new Set([processPlan])
  // A set that grows while it is walked is walked to its end.
  for (const { restartsWith } of found) {
    for (const name of restartsWith) {
      const target = types.get(name)
      if (target) found.add(target)
    }
  }
  found.delete(processPlan)
  return found
}

/** The options that are not as the rack sets them by itself; those whose order says nothing are sorted. */
function unusual(options: ContainerOptions): { container?: Record<string, unknown> } {
  const { groups, capAdd, capDrop, sysctls, ulimits } = options
  const steady = {
    ...options,
    groups: groups.toSorted(),
    capAdd: capAdd.toSorted(),
    capDrop: capDrop.toSorted(),
    sysctls: sorted(sysctls),
    ulimits: sortedBy('name', ulimits),
  }
  const plain: Record<string, unknown> = { ...plainContainer, sysctls: [] }
  const said = Object.entries(steady).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(plain[name]),
  )
  said.sort(([a], [b]) => (a < b ? -1 : 1))
  return said.length === 0 ? {} : { container: Object.fromEntries(said) }
}

function sorted(record: Record<string, string>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** What the process sees of a file: its name in the compose file is not a part of it. */
function inContainer({ path, content, mode, uid, gid }: FileMount) {
  return { path, content, mode, uid, gid }
}

/** In the order of a key's values, and with their keys in order: who wrote them, and when, says nothing. */
function sortedBy<K extends string>(key: K, list: Record<K, string>[]): object[] {
  const ordered = list.toSorted((a, b) => (a[key] < b[key] ? -1 : 1))
  return ordered.map((each) =>
    Object.fromEntries(Object.entries<unknown>(each).sort(([a], [b]) => (a < b ? -1 : 1))),
  )
}
