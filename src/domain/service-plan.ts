import { plainContainer, type FileMount, type Mount } from './container.ts'
import { RackError } from './error.ts'
import type { LinkAddress } from './link.ts'
import { linkAddress } from './link.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import { usualReplacement } from './port.ts'
import { plainRouting } from './routing.ts'
import type { Service, ServiceRun } from './service.ts'
import type { SharedPort } from './share.ts'

/** What a service that runs from an image is made of. */
export interface ServicePlanInput {
  rack: string
  service: Pick<Service, 'name' | 'type' | 'version'>
  run: ServiceRun
  /** Other racks that have it. */
  shares?: SharedPort[]
}

/** One copy with a volume of its own. It is nobody's bridge: it hands nothing on and sends no packet of its own making. */
export function planService({ rack, service, run, shares = [] }: ServicePlanInput): Plan {
  return {
    rack,
    owner: { kind: 'service', name: service.name },
    release: service.version,
    build: '',
    processes: [
      { ...planMain(service, run), ...planClient(run), ...(shares.length > 0 && { sharedWith: shares }) },
    ],
    volumes: serviceVolumes(run),
  }
}

function planMain({ type }: ServicePlanInput['service'], run: ServiceRun): ProcessPlan {
  const { built, port, cpuUnits, memoryBytes, stopGraceMs, environment, command } = run
  if (!built)
    throw new RackError('internal', `the image ${run.image} was not pulled before its service was planned`)
  return {
    type,
    image: built.reference,
    imageDigest: built.digest,
    command,
    entrypoint: null,
    environment,
    count: 1,
    isAgent: false,
    cpuUnits,
    memoryBytes,
    ports: [],
    internalPorts: [port],
    aliases: [type],
    peers: [{ type, names: [type] }],
    hosts: [],
    routing: plainRouting,
    health: { ...plainHealth, port },
    healthcheck: built.healthcheck,
    labels: {},
    mounts: mountsOf(run, built.volumes),
    files: [],
    container: { ...plainContainer, capDrop: ['NET_RAW'], sysctls: { 'net.ipv4.ip_forward': '0' } },
    after: [],
    restartsWith: [],
    stopFirst: true,
    minimumPercent: 0,
    maximumPercent: 100,
    watchMs: 1000,
    rollsBack: false,
    drainTimeoutMs: 1000,
    holdMs: 0,
    stopGraceMs,
    stopSignal: null,
    user: null,
    workingDir: null,
    init: false,
    extraHosts: [],
    restart: 'always',
    releaseCommand: null,
    releaseCommandOn: 'promote',
    timers: [],
    replaceBefore: null,
  }
}

/** Of one that a cloud runs, what runs here serves nobody. */
function planClient({ managed }: ServiceRun): Partial<ProcessPlan> {
  if (!managed) return {}
  if (managed.host === null)
    throw new RackError('internal', 'a service that a cloud runs was planned before it was there')
  return {
    leadsTo: managed.host,
    internalPorts: [],
    aliases: [],
    peers: [],
    health: { ...plainHealth, port: null },
    healthcheck: null,
    files: managed.authorities === undefined ? [] : [authoritiesFile(managed.authorities)],
    stopFirst: false,
    maximumPercent: 200,
  }
}

/** Where the client of one that a cloud runs has whose certificates that may show. */
export const authoritiesPath = '/etc/rack/authorities.pem'

function authoritiesFile(authorities: string): FileMount {
  return {
    kind: 'config',
    name: 'authorities',
    origin: 'content',
    path: authoritiesPath,
    content: Buffer.from(authorities).toString('base64'),
    mode: 0o444,
    uid: 0,
    gid: 0,
  }
}

/** A new database writes its files before it listens. */
const plainHealth = {
  path: null,
  host: null,
  intervalMs: 5000,
  timeoutMs: 3000,
  graceMs: 120_000,
  healthyThreshold: 1,
  unhealthyThreshold: 3,
  replacement: usualReplacement,
}

/** Names of the volumes that a service has when it runs so: `data`, or `data.2` once something was put back. */
export function serviceVolumes(run: ServiceRun): string[] {
  return volumesOf(run).map(({ volume }) => volume)
}

function volumesOf({ dataPaths, generation = 1 }: ServiceRun): { volume: string; path: string }[] {
  const suffix = generation === 1 ? '' : `.${generation}`
  return dataPaths.map((path, at) => ({ volume: `data${at === 0 ? '' : `-${at + 1}`}${suffix}`, path }))
}

/** Other paths of which the image says that they are volumes hold nothing to keep. */
function mountsOf(run: ServiceRun, declared: string[]): Mount[] {
  const kept = volumesOf(run).map(({ volume, path }): Mount => {
    return { kind: 'volume', volume, path, readOnly: false, noCopy: false }
  })
  const others = declared.filter((path) => !run.dataPaths.includes(path))
  return [...kept, ...others.map((path): Mount => ({ kind: 'discarded', path, readOnly: false }))]
}

/** What a link gives where the type knows no users: what the image's own `LINK_*` say. */
export function imageAddress(name: string, { scheme, port, built }: ServiceRun): LinkAddress {
  const link = { LINK_SCHEME: scheme, ...built?.link }
  return linkAddress(name, {}, link, port)
}
