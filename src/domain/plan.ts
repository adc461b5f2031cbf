import { ownOf } from '../lib/own-of.ts'
import { bindsOf, mountsToMake } from './binds.ts'
import { RackError } from './error.ts'
import type { Environment } from './environment.ts'
import { mergeHealthchecks } from './healthcheck.ts'
import type { ContainerOptions, FileMount, Mount } from './container.ts'
import type { Isolation } from './isolation.ts'
import { servicesLed, type LedService, type LedShare, type OutsideHost } from './link-reach.ts'
import type { SharedPort } from './share.ts'
import type { Healthcheck, ProcessType, ReleaseOccasion, RestartPolicy } from './manifest.ts'
import { namesInside, type Peer } from './names-inside.ts'
import { withNoticedPorts } from './noticed-port.ts'
import { ownHost } from './own-host.ts'
import { appOwner, type Owner } from './owner.ts'
import { isWeb, type Health, type NamelessPort, type Port } from './port.ts'
import type { PlanInput } from './plan-input.ts'
import { processEnvironment } from './process-environment.ts'
import { internalPorts, tcpPorts } from './process-ports.ts'
import type { Routing } from './routing.ts'
import { startedTypes } from './service-link.ts'
import type { Timer } from './timer.ts'
import { isAloneWithVolume } from './written-volumes.ts'

/** All that an engine needs to make a release of its owner the live one. The same input gives the same bytes. Holds secrets. */
export interface Plan {
  rack: string
  owner: Owner
  release: string
  build: string
  processes: ProcessPlan[]
  volumes: string[]
}

export interface ProcessPlan {
  type: string
  /** The reference that the engine's build gave. */
  image: string
  /** `sha256:…`: what decides whether copies are of the same image. */
  imageDigest: string
  command: string[] | null
  entrypoint: string[] | null
  environment: Environment
  /** Copies in all; of an agent, copies on each instance. */
  count: number
  isAgent: boolean
  cpuUnits: number
  memoryBytes: number
  /** What else a copy takes of what is counted, by name. */
  extras?: Record<string, number>
  ports: Port[]
  /** The raw port that may be a web page: what it answers is looked at when the type is live. */
  nameless?: NamelessPort
  /** Container ports that other processes of the app reach: declared, exposed, or by the image. */
  internalPorts: number[]
  /** Host names under which this type is reached inside the app. */
  aliases: string[]
  /** Types that its processes can reach, itself among them. */
  peers: Peer[]
  /** Services that run here and that it is led to, each by its names; absent where there are none. */
  services?: LedService[]
  /** Hosts of services that somebody else runs, by names of its links; absent where there are none. */
  outside?: OutsideHost[]
  /** Services of other racks that it is led to, each by its names; absent where there are none. */
  shared?: LedShare[]
  /** Of a service that a cloud runs: the host that its name leads to, in place of copies. */
  leadsTo?: string
  /** Of a service: other racks that come in to its first internal port; absent where there are none. */
  sharedWith?: SharedPort[]
  /** Absent where all types reach each other and the outside. */
  isolation?: Isolation
  /** HTTP host names of the external http ports. */
  hosts: string[]
  routing: Routing
  health: Health
  healthcheck: Healthcheck | null
  labels: Record<string, string>
  mounts: Mount[]
  files: FileMount[]
  container: ContainerOptions
  /** Types that must be ready before this one starts. */
  after: { type: string; condition: 'started' | 'healthy' | 'completed' }[]
  /** Types whose replacement replaces the copies of this one too. */
  restartsWith: string[]
  /** True when two releases of the type may not overlap, since both would write the volume; `overlap.ts` says when they do. */
  stopFirst: boolean
  minimumPercent: number
  maximumPercent: number
  /** How long a new copy is watched before those that it replaces leave. */
  watchMs: number
  /** True goes back to the release before when a copy crashes in the first minute after a promote. */
  rollsBack: boolean
  drainTimeoutMs: number
  /** How long requests wait where no copy serves and one is due; 0 answers at once. */
  holdMs: number
  stopGraceMs: number
  stopSignal: string | null
  user: string | null
  workingDir: string | null
  init: boolean
  extraHosts: { host: string; address: string }[]
  restart: RestartPolicy
  releaseCommand: string[] | null
  releaseCommandOn: ReleaseOccasion
  timers: Timer[]
  /** A restart: copies created before this RFC 3339 instant are replaced, whatever their identity. */
  replaceBefore: string | null
}

/**
 * Turns a release into what an engine runs. Pure; types that a linked service stands in for are left out.
 * @throws conflict for types that the build made no image of, or other content for
 */
export function planRelease(input: PlanInput): Plan {
  const types = withNoticedPorts(startedTypes(input.manifest, input.services), input.noticed ?? [])
  refuseUnbuilt(input, types)
  refuseOtherBinds(input, types)
  return {
    rack: input.rack,
    owner: appOwner(input.app),
    release: input.release,
    build: input.build,
    processes: types.map((type) => planProcess(input, type, types)),
    volumes: input.manifest.volumes.map((name) => ownOf(input.volumes ?? {}, name) ?? name),
  }
}

/** Volumes as the engine has them, since something was put back; and those of the image that the file does not name. */
function mountsOf({ volumes = {} }: PlanInput, type: ProcessType, declared: string[]): Mount[] {
  const mounts = mountsToMake(type.mounts).map((mount) => {
    if (mount.kind !== 'volume' || mount.external) return mount
    return { ...mount, volume: ownOf(volumes, mount.volume) ?? mount.volume }
  })
  return [...mounts, ...anonymousVolumes(type, declared)]
}

/** A release's environment may activate a profile that was not active when its build was made. */
function refuseUnbuilt({ app, release, build, images }: PlanInput, types: ProcessType[]): void {
  const unbuilt = types.map(({ name }) => name).filter((name) => !ownOf(images, name))
  if (unbuilt.length === 0) return
  const names = unbuilt.join(', ')
  throw new RackError('conflict', `${release} runs ${names}, of which its build ${build} made no image`, {
    hint: `Build again, in the environment as it is now: rack deploy --app ${app}`,
  })
}

/** A variable of a bind mount's source may lead to a path now that its build did not look at. */
function refuseOtherBinds({ app, release, build, images }: PlanInput, types: ProcessType[]): void {
  const text = (binds: unknown) => JSON.stringify(binds)
  const changed = types.filter(
    ({ name, mounts }) => text(bindsOf(mounts)) !== text(ownOf(images, name)?.binds ?? []),
  )
  if (changed.length === 0) return
  const names = changed.map(({ name }) => name).join(', ')
  throw new RackError(
    'conflict',
    `${release} mounts other paths of the source into ${names} than its build ${build} did`,
    { hint: `Build again, in the environment as it is now: rack deploy --app ${app}` },
  )
}

function planProcess(input: PlanInput, type: ProcessType, types: ProcessType[]): ProcessPlan {
  const image = ownOf(input.images, type.name)!
  const formation = ownOf(input.formation, type.name) ?? type.formation
  const variables = processEnvironment(input, type)
  const { health, healthcheck, ports, routing, labels, files, container } = type
  const { user, workingDir, init, extraHosts, restart, stopSignal } = type
  const known = new Set(types.map(({ name }) => name))
  return {
    type: type.name,
    image: image.reference,
    imageDigest: image.digest,
    command: type.command,
    entrypoint: type.entrypoint,
    environment: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
    ...formation,
    ...extrasOf(type, input),
    isAgent: type.isAgent,
    ports,
    ...(type.nameless && { nameless: type.nameless }),
    internalPorts: internalPorts(type, image.exposed),
    ...namesInside(type, types),
    ...servicesLed(input, type),
    ...(type.isolation && { isolation: type.isolation }),
    hosts: hostsOf(input, type, types),
    routing,
    health: { ...health, port: health.port ?? probePort(type, types, image.exposed) },
    healthcheck: mergeHealthchecks(healthcheck, image.healthcheck),
    labels,
    mounts: mountsOf(input, type, image.volumes),
    files,
    container,
    after: startsAfter(type).filter(({ type: target }) => known.has(target)),
    restartsWith: type.dependsOn.flatMap(({ target, restart: isTied }) =>
      isTied && known.has(target) ? [target] : [],
    ),
    stopFirst: isAloneWithVolume(type),
    ...updateRulesOf(type),
    stopGraceMs: type.stopGraceMs,
    stopSignal,
    user,
    workingDir,
    init,
    extraHosts,
    restart,
    releaseCommand: type.releaseCommand,
    releaseCommandOn: type.releaseCommandOn,
    timers: type.timers,
    replaceBefore: null,
  }
}

/** What a type takes of what is counted beside cpu and memory. All of the GPUs are one where there is none, so that it is missed. */
function extrasOf({ container: { gpus } }: ProcessType, input: PlanInput): Pick<ProcessPlan, 'extras'> {
  if (!gpus) return {}
  const { count, ids } = gpus
  return { extras: { gpu: count === 'all' ? Math.max(1, input.gpus ?? 0) : (count ?? ids.length) } }
}

/** How copies of a type are replaced. */
function updateRulesOf({ deployment, watchMs, rollsBack, drainTimeoutMs, holdMs }: ProcessType) {
  const { minimumPercent, maximumPercent } = deployment
  return { minimumPercent, maximumPercent, watchMs, rollsBack, drainTimeoutMs, holdMs }
}

/**
 * The port whose connect proves that a copy serves. The image's EXPOSE counts only where others wait for the type: a
 * worker made from the image of a web process listens on nothing.
 */
function probePort(type: ProcessType, types: ProcessType[], exposed: string[]): number | null {
  const declared = tcpPorts(type)[0] ?? type.expose[0]
  const isAwaited = types.some((other) =>
    startsAfter(other).some(({ type: target, condition }) => target === type.name && condition === 'healthy'),
  )
  if (declared !== undefined) return declared
  return isAwaited || type.health.path !== null ? (internalPorts(type, exposed)[0] ?? null) : null
}

/** `<type>.<app>.<domain>` for every http process; `<app>.<domain>` for the only one, or for `web`. */
export function hostsOf(
  input: Pick<PlanInput, 'app' | 'domain'>,
  type: ProcessType,
  types: ProcessType[],
): string[] {
  if (!servesHttp(type)) return []
  // What the rack has noticed takes no name from what the file says.
  const declared = types.filter((one) => servesHttp(one) && !one.ports.some(({ isNoticed }) => isNoticed))
  const http = declared.length > 0 ? declared : types.filter(servesHttp)
  const own = ownHost(input.app, type.name, input.domain)
  const isMain = http.includes(type) && (http.length === 1 || type.name === 'web')
  return isMain ? [`${input.app}.${input.domain}`, own] : [own]
}

function servesHttp(type: ProcessType): boolean {
  return type.ports.some(({ external, protocol }) => external !== null && isWeb(protocol))
}

/** `depends_on` as it says; a link alone waits for the target to serve. */
function startsAfter(type: ProcessType): ProcessPlan['after'] {
  const named = type.dependsOn.map(({ target, condition }) => ({ type: target, condition }))
  const linked = type.links.filter(({ target }) => !named.some((dependency) => dependency.type === target))
  return [...named, ...linked.map(({ target }) => ({ type: target, condition: 'healthy' as const }))]
}

/** An image's VOLUME that no mount covers gets no data of its own across copies: the engine discards it. */
function anonymousVolumes(type: ProcessType, paths: string[]): Mount[] {
  const covered = new Set(type.mounts.map(({ path }) => path))
  const bare = paths.filter((path) => !covered.has(path))
  return bare.map((path) => ({ kind: 'discarded', path, readOnly: false }))
}
