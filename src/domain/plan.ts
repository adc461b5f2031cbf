import type { BuiltImages } from './build.ts'
import { RackError } from './error.ts'
import { mask, maskText, resolveEnvironment, type Environment, type ResolvedVariable } from './environment.ts'
import type { ContainerOptions, FileMount, Mount } from './container.ts'
import { linkAddress, linkVariables } from './link.ts'
import type {
  Formation,
  Healthcheck,
  HealthcheckSettings,
  Manifest,
  ProcessType,
  RestartPolicy,
} from './manifest.ts'
import type { Health, Port } from './port.ts'
import { maskRouting, type Routing } from './routing.ts'
import { serviceVariables, type ServiceLink } from './service.ts'

/** All that an engine needs to make a release the live one. The same input gives the same bytes. Holds secrets. */
export interface Plan {
  rack: string
  app: string
  release: string
  build: string
  processes: ProcessPlan[]
  volumes: string[]
}

export interface ProcessPlan {
  type: string
  /** `sha256:…` */
  image: string
  command: string[] | null
  entrypoint: string[] | null
  environment: Environment
  /** Copies in all; of an agent, copies on each instance. */
  count: number
  isAgent: boolean
  cpuUnits: number
  memoryBytes: number
  ports: Port[]
  /** Container ports that other processes of the app reach: declared, exposed, or by the image. */
  internalPorts: number[]
  /** Host names under which this type is reached inside the app. */
  aliases: string[]
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
  /** True when two releases of the type may not overlap, since both would hold the volume. */
  stopFirst: boolean
  minimumPercent: number
  maximumPercent: number
  drainTimeoutMs: number
  stopGraceMs: number
  stopSignal: string | null
  user: string | null
  workingDir: string | null
  init: boolean
  extraHosts: { host: string; address: string }[]
  restart: RestartPolicy
  releaseCommand: string[] | null
  /** A restart: copies created before this RFC 3339 instant are replaced, whatever their identity. */
  replaceBefore: string | null
}

/** What the rack adds to a release to make a plan. */
export interface PlanInput {
  rack: string
  domain: string
  app: string
  release: string
  build: string
  manifest: Manifest
  images: BuiltImages
  environment: Environment
  /** By process type; a type that is not here takes the manifest's. */
  formation: Record<string, Formation>
  services: ServiceLink[]
}

/** Names that no compose file or app environment can change. */
export const rackVariableNames = ['RACK', 'APP', 'PROCESS', 'RELEASE', 'BUILD', 'PORT'] as const

/**
 * Turns a release into what an engine runs. Pure; types that a linked service stands in for are left out.
 * @throws conflict for types that the build made no image of
 */
export function planRelease(input: PlanInput): Plan {
  const replaced = new Set(input.services.map(({ alias }) => alias))
  const types = input.manifest.processes.filter(({ name }) => !replaced.has(name))
  refuseUnbuilt(input, types)
  return {
    rack: input.rack,
    app: input.app,
    release: input.release,
    build: input.build,
    processes: types.map((type) => planProcess(input, type, types)),
    volumes: input.manifest.volumes,
  }
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

function planProcess(input: PlanInput, type: ProcessType, types: ProcessType[]): ProcessPlan {
  const image = ownOf(input.images, type.name)!
  const formation = ownOf(input.formation, type.name) ?? type.formation
  const variables = processEnvironment(input, type)
  const { health, healthcheck, ports, routing, mounts, labels, files, container } = type
  const { user, workingDir, init, extraHosts, restart, stopSignal } = type
  const known = new Set(types.map(({ name }) => name))
  return {
    type: type.name,
    image: image.digest,
    command: type.command,
    entrypoint: type.entrypoint,
    environment: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
    ...formation,
    isAgent: type.isAgent,
    ports,
    internalPorts: internalPorts(type, image.exposed),
    aliases: aliasesOf(type.name, types),
    hosts: hostsOf(input, type, types),
    routing,
    health: { ...health, port: health.port ?? probePort(type, types, image.exposed) },
    healthcheck: checkOf(healthcheck, image.healthcheck),
    labels,
    mounts: [...mounts, ...anonymousVolumes(type, image.volumes)],
    files,
    container,
    after: startsAfter(type).filter(({ type: target }) => known.has(target)),
    restartsWith: type.dependsOn.flatMap(({ target, restart: isTied }) =>
      isTied && known.has(target) ? [target] : [],
    ),
    stopFirst: mounts.some(({ kind }) => kind === 'volume'),
    ...type.deployment,
    drainTimeoutMs: type.drainTimeoutMs,
    stopGraceMs: type.stopGraceMs,
    stopSignal,
    user,
    workingDir,
    init,
    extraHosts,
    restart,
    releaseCommand: type.releaseCommand,
    replaceBefore: null,
  }
}

/** As Docker lays a container's settings over its image's. */
function checkOf(own: HealthcheckSettings | null, image: Healthcheck | null): Healthcheck | null {
  const test = own?.test ?? image?.test
  if (!test) return null
  return {
    test,
    intervalMs: own?.intervalMs ?? image?.intervalMs ?? 30_000,
    timeoutMs: own?.timeoutMs ?? image?.timeoutMs ?? 30_000,
    retries: own?.retries ?? image?.retries ?? 3,
    startPeriodMs: own?.startPeriodMs ?? image?.startPeriodMs ?? 0,
  }
}

/** A type may be called `constructor`, which every object seems to have. */
function ownOf<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** The final variables of a process type, each with its origin: concepts.md's precedence, lowest first. */
export function processEnvironment(input: PlanInput, type: ProcessType): ResolvedVariable[] {
  const compose = valuesOf(type)
  const firstPort = type.ports[0]?.container
  return resolveEnvironment({
    compose,
    'process link': processLinks(input, type),
    'service link': Object.assign({}, ...input.services.map(serviceVariables)) as Environment,
    app: input.environment,
    rack: {
      RACK: input.rack,
      APP: input.app,
      PROCESS: type.name,
      RELEASE: input.release,
      BUILD: input.build,
      ...(firstPort === undefined ? {} : { PORT: String(firstPort) }),
    },
  })
}

/** Names of the required variables that nothing supplies, by process type. Empty when a promote may go on. */
export function missingVariables(input: PlanInput): Record<string, string[]> {
  const missing: Record<string, string[]> = {}
  for (const type of input.manifest.processes) {
    const present = new Set(processEnvironment(input, type).map(({ name }) => name))
    const names = type.environment.filter(({ name, value }) => value === null && !present.has(name))
    if (names.length > 0) missing[type.name] = names.map(({ name }) => name).sort()
  }
  return missing
}

/** Links to a process that neither the file nor its image gives a port, as `web → db`. */
export function linksToNowhere({ processes }: Manifest, images: BuiltImages): string[] {
  const portless = processes.filter((type) => {
    const image = ownOf(images, type.name)
    const named = valuesOf(type)['LINK_PORT'] ?? image?.link['LINK_PORT']
    return named === undefined && internalPorts(type, image?.exposed ?? []).length === 0
  })
  const names = new Set(portless.map(({ name }) => name))
  return processes.flatMap(({ name, links }) =>
    links.flatMap(({ target }) => (names.has(target) ? [`${name} → ${target}`] : [])),
  )
}

function processLinks(input: PlanInput, type: ProcessType): Environment {
  const variables: Environment = {}
  const replaced = new Set(input.services.map(({ alias }) => alias))
  for (const { target, alias } of type.links) {
    const linked = input.manifest.processes.find(({ name }) => name === target)
    if (!linked || replaced.has(target)) continue
    const image = input.images[target]
    const port = internalPorts(linked, image?.exposed ?? [])[0] ?? 0
    Object.assign(
      variables,
      linkVariables(alias, linkAddress(alias, valuesOf(linked), image?.link ?? {}, port)),
    )
  }
  return variables
}

function valuesOf(type: ProcessType): Environment {
  const values = type.environment.flatMap(({ name, value }) =>
    value === null ? [] : [[name, value] as const],
  )
  return Object.fromEntries(values)
}

/** Declared ports first, then `expose:`; the image's EXPOSE only when the file declares none. */
function internalPorts(type: ProcessType, exposed: string[]): number[] {
  const declared = [...type.ports.map(({ container }) => container), ...type.expose]
  const fromImage = exposed.flatMap((port) => (port.endsWith('/udp') ? [] : [Number.parseInt(port, 10)]))
  return [...new Set(declared.length > 0 ? declared : fromImage)]
}

/**
 * The port whose connect proves that a copy serves. The image's EXPOSE counts only where others wait for the type: a
 * worker made from the image of a web process listens on nothing.
 */
function probePort(type: ProcessType, types: ProcessType[], exposed: string[]): number | null {
  const declared = type.ports[0]?.container ?? type.expose[0]
  const isAwaited = types.some((other) =>
    startsAfter(other).some(({ type: target, condition }) => target === type.name && condition === 'healthy'),
  )
  if (declared !== undefined) return declared
  return isAwaited || type.health.path !== null ? (internalPorts(type, exposed)[0] ?? null) : null
}

/** A type's own names, and the aliases by which others link to it. */
export function aliasesOf(name: string, types: ProcessType[]): string[] {
  const links = types.flatMap((type) => type.links.filter(({ target }) => target === name))
  const own = types.find((type) => type.name === name)?.hostNames ?? []
  return [...new Set([name, ...own, ...links.map(({ alias }) => alias)])]
}

/** `<type>.<app>.<domain>` for every http process; `<app>.<domain>` for the only one, or for `web`. */
export function hostsOf(
  input: Pick<PlanInput, 'app' | 'domain'>,
  type: ProcessType,
  types: ProcessType[],
): string[] {
  const http = types.filter(servesHttp)
  if (!servesHttp(type)) return []
  const own = `${type.name}.${input.app}.${input.domain}`
  const isMain = http.length === 1 || type.name === 'web'
  return isMain ? [`${input.app}.${input.domain}`, own] : [own]
}

function servesHttp(type: ProcessType): boolean {
  return type.ports.some(({ external, protocol }) => external !== null && protocol === 'http')
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

/**
 * The plan as a person may see it: names stay, every value and every file's content is masked, also where the compose
 * file has put a value of the app's environment into a command, a check, a label or a kernel parameter.
 */
export function maskPlan(plan: Plan, environment: Environment): Plan {
  const words = (list: string[]) => list.map((word) => maskText(word, environment))
  const values = (record: Record<string, string>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, maskText(value, environment)]))
  const processes = plan.processes.map((process) => ({
    ...process,
    environment: Object.fromEntries(Object.keys(process.environment).map((name) => [name, mask])),
    command: process.command && words(process.command),
    entrypoint: process.entrypoint && words(process.entrypoint),
    releaseCommand: process.releaseCommand && words(process.releaseCommand),
    routing: maskRouting(process.routing),
    healthcheck: process.healthcheck && { ...process.healthcheck, test: words(process.healthcheck.test) },
    labels: values(process.labels),
    files: process.files.map((file) => ({ ...file, content: mask })),
    container: { ...process.container, sysctls: values(process.container.sysctls) },
  }))
  return { ...plan, processes }
}
