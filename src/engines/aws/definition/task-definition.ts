import { dirname } from 'node:path/posix'
import type {
  ContainerDefinition,
  LinuxParameters,
  MountPoint,
  PortMapping,
  RegisterTaskDefinitionCommandInput,
  Secret,
  Volume,
} from '@aws-sdk/client-ecs'
import { usualCapabilities, type ContainerOptions, type Mount } from '../../../domain/container.ts'
import type { Healthcheck } from '../../../domain/manifest.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { shortHash } from '../../../lib/short-hash.ts'
import { generationName, logGroupName, searchDomain, streamPrefix, type GenerationName } from '../names.ts'
import type { AwsPlaces } from '../../../domain/aws-places.ts'
import { initVariable, toolPath, type InitOrders } from '../tool-orders.ts'
import { fileMounts, fileSecrets, fileVolumes, filledMounts, type TaskFiles } from './task-files.ts'
import { besideBytes, fargateSize, mebibyte } from './fargate-size.ts'

/** What of an app's stack a task stands on. */
export interface AppPlaces {
  securityGroup: string
  executionRole: string
  taskRole: string
}

export interface DefinitionInput {
  rack: string
  places: Pick<AwsPlaces, 'region' | 'fileSystem' | 'toolImage'>
  app: AppPlaces
  /** Names the family. */
  generation: GenerationName
  release: string
  plan: ProcessPlan
  /** What of its files its image does not hold. */
  files: Pick<TaskFiles, 'orders' | 'directories'>
  /** By variable, or key of a secret file, ARN of the secret that holds it. */
  secrets: ReadonlyMap<string, string>
  /** By volume, id of its access point. */
  accessPoints: ReadonlyMap<string, string>
  /** Takes the place of the type's command. */
  command?: string[]
  tags?: { key: string; value: string }[]
}

/** The container of the user's process. */
export const mainContainer = 'main'

/** What a copy is made from. Pure: the same input gives the same. */
export function taskDefinition(input: DefinitionInput): RegisterTaskDefinitionCommandInput {
  const { plan, generation, app } = input
  const size = fargateSize(plan)
  return {
    family: generationName(generation),
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    cpu: String(size.cpu),
    memory: String(size.memory),
    runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
    executionRoleArn: app.executionRole,
    taskRoleArn: app.taskRole,
    volumes: volumesOf(input),
    containerDefinitions: [initContainer(input), ...fillContainers(input), processContainer(input)],
    ...(input.tags && input.tags.length > 0 && { tags: input.tags }),
  }
}

const toolVolume = 'rack'
const toolDirectory = dirname(toolPath)
const fillPath = '/.fill'

/** Prepares names before the process starts, and leaves the tool in the task's volume. */
function initContainer(input: DefinitionInput): ContainerDefinition {
  const { rack, places, generation, plan, files } = input
  const { dns, hostname } = plan.container
  const orders: InitOrders = {
    search: [searchDomain(rack, generation.owner), ...dns.search],
    options: dns.options,
    hosts: [
      ...plan.extraHosts.map(({ host, address }) => ({ address, names: [host] })),
      ...(hostname === null ? [] : [{ address: null, names: [hostname] }]),
    ],
    files: files.orders,
  }
  const secrets = fileSecrets(files, input.secrets)
  return {
    name: 'rack',
    image: places.toolImage,
    essential: false,
    user: '0',
    command: ['init'],
    environment: [{ name: initVariable, value: JSON.stringify(orders) }],
    ...(secrets.length > 0 && { secrets }),
    mountPoints: [{ sourceVolume: toolVolume, containerPath: toolDirectory }, ...filledMounts(files)],
    logConfiguration: logsOf(input),
  }
}

/** Fills new volumes with what the image has at their paths, as Docker does (aws.md 1.6). */
function fillContainers(input: DefinitionInput): ContainerDefinition[] {
  const filled = input.plan.mounts.filter((mount) => mount.kind === 'volume' && !mount.noCopy)
  if (filled.length === 0) return []
  const places = filled.map((mount, index) => ({ mount, at: `${fillPath}/${index}` }))
  return [
    {
      name: 'fill',
      image: input.plan.image,
      essential: false,
      user: '0',
      entryPoint: [toolPath],
      command: ['fill', ...places.flatMap(({ mount, at }) => [mount.path, at])],
      dependsOn: [{ containerName: 'rack', condition: 'SUCCESS' }],
      mountPoints: [
        { sourceVolume: toolVolume, containerPath: toolDirectory, readOnly: true },
        ...places.map(({ mount, at }) => ({ sourceVolume: volumeId(mount), containerPath: at })),
      ],
      logConfiguration: logsOf(input),
    },
  ]
}

function processContainer(input: DefinitionInput): ContainerDefinition {
  const { plan, secrets } = input
  const { container, workingDir, user, entrypoint } = plan
  const command = input.command ?? plan.command
  const last = fillContainers(input).length > 0 ? 'fill' : 'rack'
  const check = healthCheckOf(plan.healthcheck)
  const linux = linuxOf(plan)
  return {
    name: mainContainer,
    image: plan.image,
    essential: true,
    cpu: plan.cpuUnits,
    memory: Math.ceil((plan.memoryBytes + besideBytes) / mebibyte),
    ...(entrypoint && { entryPoint: entrypoint }),
    ...(command && { command }),
    ...(user !== null && { user }),
    ...(workingDir !== null && { workingDirectory: workingDir }),
    dependsOn: [{ containerName: last, condition: 'SUCCESS' }],
    portMappings: mappingsOf(plan),
    ...(container.hostname !== null && { environment: [{ name: 'HOSTNAME', value: container.hostname }] }),
    secrets: secretsOf(plan, secrets),
    mountPoints: [...mountPointsOf(plan), ...fileMounts(input.files)],
    ...(Object.keys(linux).length > 0 && { linuxParameters: linux }),
    ...ulimitsOf(container),
    ...(container.readOnly && { readonlyRootFilesystem: true }),
    ...(container.stdinOpen && { interactive: true }),
    ...(container.tty && { pseudoTerminal: true }),
    stopTimeout: Math.min(120, Math.max(2, Math.ceil(plan.stopGraceMs / 1000))),
    ...(check && { healthCheck: check }),
    dockerLabels: plan.labels,
    logConfiguration: logsOf(input),
  }
}

/** ECS maps a port once (D): one that a balancer leads to by udp is udp, whatever else listens there. */
function mappingsOf(plan: ProcessPlan): PortMapping[] {
  const ways = waysOf(plan).filter(({ port }) => port.protocol === 'udp')
  const byUdp = new Set(ways.map(({ port }) => port.container))
  const all = new Set([...plan.ports.map(({ container }) => container), ...plan.internalPorts])
  return [...all]
    .toSorted((a, b) => a - b)
    .map((containerPort) => ({ containerPort, protocol: byUdp.has(containerPort) ? 'udp' : 'tcp' }))
}

function secretsOf({ environment }: ProcessPlan, secrets: ReadonlyMap<string, string>): Secret[] {
  return Object.keys(environment).map((name) => ({ name, valueFrom: `${secrets.get(name)}:${name}::` }))
}

function logsOf({ rack, places, generation, release }: DefinitionInput) {
  return {
    logDriver: 'awslogs' as const,
    options: {
      'awslogs-group': logGroupName(rack, generation.owner),
      'awslogs-region': places.region,
      'awslogs-stream-prefix': streamPrefix(generation.type, release),
      mode: 'non-blocking',
      'max-buffer-size': '25m',
    },
  }
}

function volumesOf({ plan, files, places, accessPoints }: DefinitionInput): Volume[] {
  const own = plan.mounts.filter(({ kind }) => kind === 'volume' || kind === 'discarded')
  const named = new Map(own.map((mount) => [volumeId(mount), mount]))
  return [
    { name: toolVolume },
    ...fileVolumes(files),
    ...agentPlaces(plan).map(({ name }) => ({ name })),
    ...Array.from(named, ([name, mount]): Volume => {
      if (mount.kind !== 'volume') return { name }
      return {
        name,
        efsVolumeConfiguration: {
          fileSystemId: places.fileSystem,
          transitEncryption: 'ENABLED',
          authorizationConfig: { accessPointId: accessPoints.get(mount.volume), iam: 'ENABLED' },
        },
      }
    }),
  ]
}

/** Where the agent of exec writes, in a container whose own file system nobody does (aws.md 1.7). */
function agentPlaces({ container }: Pick<ProcessPlan, 'container'>): { name: string; path: string }[] {
  if (!container.readOnly) return []
  const paths = ['/managed-agents', '/var/lib/amazon', '/var/log/amazon']
  return paths.map((path) => ({ name: `agent${path.replaceAll('/', '-')}`, path }))
}

/** A volume that two paths have is one; two whose names ECS does not take are two. */
function volumeId(mount: Mount): string {
  const [letter, name] = mount.kind === 'volume' ? ['v', mount.volume] : ['d', mount.path]
  const plain = name.replaceAll(/[^A-Za-z0-9_-]/g, '-')
  return plain === name ? `${letter}-${name}` : `${letter}-${plain}-${shortHash(name)}`
}

function mountPointsOf({ mounts, container }: ProcessPlan): MountPoint[] {
  const own = mounts.filter(({ kind }) => kind === 'volume' || kind === 'discarded')
  return [
    { sourceVolume: toolVolume, containerPath: toolDirectory, readOnly: true },
    ...agentPlaces({ container }).map(({ name, path }) => ({ sourceVolume: name, containerPath: path })),
    ...own.map((mount) => ({
      sourceVolume: volumeId(mount),
      containerPath: mount.path,
      ...(mount.readOnly && { readOnly: true }),
    })),
  ]
}

function linuxOf({ mounts, container, init, memoryBytes }: ProcessPlan): LinuxParameters {
  const shared = container.shmBytes === null ? [] : [inMemory('/dev/shm', container.shmBytes, [])]
  const tmpfs = mounts.flatMap((mount) => {
    if (mount.kind !== 'tmpfs') return []
    const { path, sizeBytes, mode, options, readOnly } = mount
    const more = [
      ...(readOnly ? ['ro'] : []),
      ...(mode === null ? [] : [`mode=${mode.toString(8)}`]),
      ...options,
    ]
    return [inMemory(path, sizeBytes ?? memoryBytes, more)]
  })
  const capabilities = capabilitiesOf(container)
  return {
    ...(Object.keys(capabilities).length > 0 && { capabilities }),
    ...(init && { initProcessEnabled: true }),
    ...(tmpfs.length + shared.length > 0 && { tmpfs: [...shared, ...tmpfs] }),
  }
}

/** Fargate adds none of those that Docker gives anyway: who drops all but some drops the others by name. */
function capabilitiesOf({ capAdd, capDrop }: ContainerOptions): { add?: string[]; drop?: string[] } {
  const isAllBut = capDrop.includes('ALL') && capAdd.length > 0
  const dropped = isAllBut ? usualCapabilities.filter((name) => !capAdd.includes(name)) : capDrop
  return {
    ...(capAdd.includes('SYS_PTRACE') && { add: ['SYS_PTRACE'] }),
    ...(dropped.length > 0 && { drop: dropped.toSorted() }),
  }
}

function inMemory(containerPath: string, bytes: number, mountOptions: string[]) {
  const size = Math.max(1, Math.ceil(bytes / mebibyte))
  return { containerPath, size, ...(mountOptions.length > 0 && { mountOptions }) }
}

function ulimitsOf({ ulimits, sysctls }: ContainerOptions): Partial<ContainerDefinition> {
  const files = ulimits.find(({ name }) => name === 'nofile')
  const most = 65_535
  const bounded = (limit: number) => (limit < 0 ? most : Math.min(limit, most))
  const controls = Object.entries(sysctls).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    ...(files && {
      ulimits: [{ name: 'nofile' as const, softLimit: bounded(files.soft), hardLimit: bounded(files.hard) }],
    }),
    ...(controls.length > 0 && {
      systemControls: controls.map(([namespace, value]) => ({ namespace, value })),
    }),
  }
}

const within = (least: number, value: number, most: number) => Math.min(most, Math.max(least, value))
const secondsOf = (ms: number) => Math.ceil(ms / 1000)

/** As near as ECS comes: 5 to 300 s, timeouts of 2 to 60 s, ten retries (aws.md 1.2). */
function healthCheckOf(check: Healthcheck | null): ContainerDefinition['healthCheck'] {
  if (!check || check.test[0] === 'NONE') return undefined
  return {
    command: check.test,
    interval: within(5, secondsOf(check.intervalMs), 300),
    timeout: within(2, secondsOf(check.timeoutMs), 60),
    retries: within(1, check.retries, 10),
    startPeriod: within(0, secondsOf(check.startPeriodMs), 300),
  }
}
