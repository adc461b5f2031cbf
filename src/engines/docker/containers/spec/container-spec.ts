import type { Mount } from '../../../domain/container.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { ProcessKind } from '../../../domain/process.ts'
import { labels } from '../labels.ts'
import { containerName, networkName, volumeName } from './names.ts'

/** Everything that decides one container. */
export interface ContainerRequest {
  rack: string
  app: string
  release: string
  /** Process id. */
  process: string
  kind: ProcessKind
  operation: string
  plan: ProcessPlan
  identity: string
  address: string
  /** Known from the start; a type that others reach gets its names later, when it is healthy. */
  names: string[]
  /** Replaces the type's command, for one-offs. */
  command?: string[]
  terminal?: { tty: boolean; input: boolean; size?: { rows: number; columns: number } }
  timeoutMs?: number | null
  limits: ContainerLimits
}

export interface ContainerLimits {
  /** The most processes and threads in one container. */
  pids: number
  /** What Docker keeps of a container's log until the rack has copied it. */
  logFileBytes: number
  logFiles: number
}

export const defaultLimits: ContainerLimits = { pids: 4096, logFileBytes: 10 * 1024 * 1024, logFiles: 3 }

/** What `POST /containers/create` takes. */
export interface ContainerSpec {
  name: string
  body: Record<string, unknown>
}

/** Phrases the container of one copy. It starts without a restart policy: that comes when it has proved itself. */
export function containerSpec(request: ContainerRequest): ContainerSpec {
  const { rack, app, process, plan } = request
  const network = networkName(rack, app)
  return {
    name: containerName(rack, app, plan.type, process),
    body: {
      Image: plan.image,
      ...(request.command || plan.command ? { Cmd: request.command ?? plan.command } : {}),
      ...(plan.entrypoint ? { Entrypoint: plan.entrypoint } : {}),
      Env: Object.entries(plan.environment).map(([name, value]) => `${name}=${value}`),
      ...(plan.user ? { User: plan.user } : {}),
      ...(plan.workingDir ? { WorkingDir: plan.workingDir } : {}),
      ...(plan.stopSignal ? { StopSignal: plan.stopSignal } : {}),
      StopTimeout: Math.ceil(plan.stopGraceMs / 1000),
      ...healthcheckOf(request),
      ...standardStreams(request),
      Labels: labelsOf(request),
      HostConfig: hostConfig(request, network),
      NetworkingConfig: {
        EndpointsConfig: {
          [network]: { IPAMConfig: { IPv4Address: request.address }, Aliases: request.names },
        },
      },
    },
  }
}

function labelsOf(request: ContainerRequest): Record<string, string> {
  const { plan, command, timeoutMs } = request
  return {
    [labels.rack]: request.rack,
    [labels.app]: request.app,
    [labels.type]: plan.type,
    [labels.release]: request.release,
    [labels.process]: request.process,
    [labels.kind]: request.kind,
    [labels.identity]: request.identity,
    [labels.operation]: request.operation,
    [labels.cpuUnits]: String(plan.cpuUnits),
    [labels.memoryBytes]: String(plan.memoryBytes),
    [labels.command]: JSON.stringify(command ?? plan.command ?? []),
    [labels.drainMs]: String(plan.drainTimeoutMs),
    [labels.restart]: request.kind === 'process' ? plan.restart : 'no',
    ...(timeoutMs ? { [labels.timeoutMs]: String(timeoutMs) } : {}),
  }
}

function hostConfig(request: ContainerRequest, network: string): Record<string, unknown> {
  const { rack, app, plan, limits, terminal } = request
  return {
    NetworkMode: network,
    Memory: plan.memoryBytes,
    // The same as Memory: no swap, so the limit is the limit.
    MemorySwap: plan.memoryBytes,
    CpuShares: Math.max(2, plan.cpuUnits),
    PidsLimit: limits.pids,
    SecurityOpt: ['no-new-privileges'],
    Init: plan.init,
    ExtraHosts: plan.extraHosts.map(({ host, address }) => `${host}:${address}`),
    RestartPolicy: { Name: 'no' },
    LogConfig: {
      Type: 'json-file',
      Config: { 'max-size': String(limits.logFileBytes), 'max-file': String(limits.logFiles) },
    },
    Mounts: plan.mounts.flatMap((mount) => mountOf(rack, app, mount)),
    // Engines before 23 do not know it: there the size comes a moment after the process.
    ...(terminal?.size ? { ConsoleSize: [terminal.size.rows, terminal.size.columns] } : {}),
  }
}

function mountOf(rack: string, app: string, mount: Mount): Record<string, unknown>[] {
  const { kind, path, readOnly } = mount
  if (kind === 'tmpfs') return [{ Type: 'tmpfs', Target: path, ReadOnly: readOnly }]
  if (kind === 'bind') return [{ Type: 'bind', Source: mount.source, Target: path, ReadOnly: readOnly }]
  // An image's own VOLUME gets its anonymous volume by itself, and loses it with the container.
  if (kind === 'discarded') return []
  return [{ Type: 'volume', Source: volumeName(rack, app, mount.volume), Target: path, ReadOnly: readOnly }]
}

/** One-offs run no check: nothing waits for it. */
function healthcheckOf({ plan, kind }: ContainerRequest): Record<string, unknown> {
  const check = plan.healthcheck
  if (kind !== 'process') return { Healthcheck: { Test: ['NONE'] } }
  if (!check) return {}
  if (check.test[0] === 'NONE') return { Healthcheck: { Test: ['NONE'] } }
  return {
    Healthcheck: {
      Test: check.test,
      Interval: check.intervalMs * 1e6,
      Timeout: check.timeoutMs * 1e6,
      Retries: check.retries,
      StartPeriod: check.startPeriodMs * 1e6,
    },
  }
}

function standardStreams({ terminal }: ContainerRequest): Record<string, unknown> {
  if (!terminal) return {}
  const { tty, input } = terminal
  return {
    Tty: tty,
    OpenStdin: input,
    StdinOnce: input,
    AttachStdin: input,
    AttachStdout: true,
    AttachStderr: true,
  }
}
