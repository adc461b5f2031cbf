import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { MountPoint } from '@aws-sdk/client-ecs'
import type { ContainerRecord, EcsState, TaskRecord } from '../state.ts'
import { taskVolume, type Holder } from './holder.ts'
import type { PreparedContainer } from './prepare-task.ts'

const mebibyte = 1024 * 1024
const nanosecondsPerSecond = 1_000_000_000

export interface ContainerWorld {
  state: EcsState
  task: TaskRecord
  holder: Holder
  prepared: PreparedContainer
  labels: Record<string, string>
}

/** What Docker is asked for. */
export function containerSpec(container: ContainerRecord, world: ContainerWorld): object {
  const { definition } = container
  const override = world.task.overrides.containerOverrides?.find(({ name }) => name === definition.name)
  const command = override?.command ?? definition.command
  return {
    Image: world.prepared.image,
    ...(definition.entryPoint && { Entrypoint: definition.entryPoint }),
    ...(command && { Cmd: command }),
    ...(definition.user !== undefined && { User: definition.user }),
    ...(definition.workingDirectory !== undefined && { WorkingDir: definition.workingDirectory }),
    Env: environmentOf(container, world),
    Tty: definition.pseudoTerminal ?? false,
    OpenStdin: definition.interactive ?? false,
    Healthcheck: healthOf(container, world),
    Labels: { ...definition.dockerLabels, ...world.labels },
    HostConfig: hostConfig(container, world),
  }
}

function hostConfig(container: ContainerRecord, world: ContainerWorld): object {
  const { task, holder, state } = world
  const { definition } = container
  const { capabilities, initProcessEnabled, tmpfs = [] } = definition.linuxParameters ?? {}
  const memory = (definition.memory ?? Number(task.definition.definition.memory)) * mebibyte
  return {
    NetworkMode: `container:${holder.dockerId}`,
    Binds: holder.networkFiles,
    Mounts: (definition.mountPoints ?? []).map((mount) => mountOf(mount, world)),
    Memory: memory,
    MemorySwap: memory,
    CpuShares: Math.max(2, definition.cpu ?? 0),
    NanoCpus: nanoCpus(Number(task.definition.definition.cpu), state.account.clock.factor),
    ReadonlyRootfs: definition.readonlyRootFilesystem ?? false,
    Init: initProcessEnabled ?? false,
    CapAdd: capabilities?.add ?? [],
    CapDrop: capabilities?.drop ?? [],
    Tmpfs: Object.fromEntries(
      tmpfs.map(({ containerPath, size, mountOptions = [] }) => [
        containerPath!,
        [`size=${size}m`, ...mountOptions].join(','),
      ]),
    ),
    Ulimits: ulimitsOf(container),
    Sysctls: Object.fromEntries(
      (definition.systemControls ?? [])
        .filter(({ namespace }) => !namespace!.startsWith('net.'))
        .map(({ namespace, value }) => [namespace!, value!]),
    ),
    LogConfig: { Type: 'json-file', Config: {} },
  }
}

/** A task gets no more than its size (aws.md 3), as much faster as the account's clock is; Docker takes what there is at most. */
function nanoCpus(cpuUnits: number, factor: number): number {
  return Math.round(Math.min((cpuUnits / 1024) * Math.max(1, factor), availableParallelism()) * 1e9)
}

function mountOf({ sourceVolume, containerPath, readOnly }: MountPoint, world: ContainerWorld): object {
  const { task, state, labels } = world
  const volume = task.definition.definition.volumes!.find(({ name }) => name === sourceVolume)!
  const mount = { Target: containerPath, ReadOnly: readOnly ?? false }
  const shared = volume.efsVolumeConfiguration
  if (shared) {
    const { accessPointId } = shared.authorizationConfig!
    return { ...mount, Type: 'bind', Source: state.fileSystems.path(shared.fileSystemId!, accessPointId!) }
  }
  // A volume of a Fargate task is empty at first, whatever the image has there (D).
  const options = { NoCopy: true, Labels: labels }
  return { ...mount, Type: 'volume', Source: taskVolume(state, task, sourceVolume!), VolumeOptions: options }
}

/** What the definition says, then what overrides it, then secrets (which share no name with them); Fargate's own first (D). */
function environmentOf(
  { definition }: ContainerRecord,
  { state, task, prepared, holder }: ContainerWorld,
): string[] {
  const override = task.overrides.containerOverrides?.find(({ name }) => name === definition.name)
  const variables = new Map<string, string>([
    ['AWS_EXECUTION_ENV', 'AWS_ECS_FARGATE'],
    ['AWS_REGION', state.account.region],
    ['AWS_DEFAULT_REGION', state.account.region],
    ...Object.entries(holder.environment),
  ])
  for (const { name, value } of definition.environment ?? []) variables.set(name!, value ?? '')
  for (const { name, value } of prepared.secrets) variables.set(name, value)
  for (const { name, value } of override?.environment ?? []) variables.set(name!, value ?? '')
  return [...variables].map(([name, value]) => `${name}=${value}`)
}

/** As many as this machine can give: what is asked for may be more than its own limit. */
function ulimitsOf({ definition }: ContainerRecord): object[] {
  const most = mostOpenFiles()
  return (definition.ulimits ?? []).map(({ name, softLimit, hardLimit }) => ({
    Name: name,
    Soft: Math.min(softLimit!, most),
    Hard: Math.min(hardLimit!, most),
  }))
}

function mostOpenFiles(): number {
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return hard === undefined ? Number.MAX_SAFE_INTEGER : Number(hard)
}

/** A machine that is busy with many tasks does not make a process unhealthy. */
const leastTimeoutSeconds = 5
/** Each check is a process more. */
const leastIntervalSeconds = 0.25

/**
 * D: the image's own check counts for nothing. When the check is run is AWS's affair and goes by the account's clock;
 * how long the process may take to start and to answer is the process's own, and real.
 */
function healthOf({ definition }: ContainerRecord, { state }: ContainerWorld): object {
  if (!definition.healthCheck) return { Test: ['NONE'] }
  const { command, interval = 30, timeout = 5, retries = 3, startPeriod = 0 } = definition.healthCheck
  return {
    Test: command,
    Interval: Math.round(
      Math.max(interval / state.account.clock.factor, leastIntervalSeconds) * nanosecondsPerSecond,
    ),
    Timeout: Math.max(timeout, leastTimeoutSeconds) * nanosecondsPerSecond,
    Retries: retries,
    StartPeriod: startPeriod * nanosecondsPerSecond,
  }
}
