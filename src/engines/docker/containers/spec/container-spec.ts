import { RackError } from '../../../../domain/error.ts'
import { networksOf } from '../../../../domain/isolation.ts'
import type { Owner } from '../../../../domain/owner.ts'
import type { ProcessPlan } from '../../../../domain/plan.ts'
import type { ProcessKind } from '../../../../domain/process.ts'
import { foreignLabels, labels, ownerLabels } from '../../labels.ts'
import { placeFiles } from '../../../../domain/file-places.ts'
import { hostOptions } from './host-options.ts'
import { isolatedOptions } from './isolated-options.ts'
import { hostMounts } from './mounts.ts'
import { containerName, markedName, networkName } from '../names.ts'
import type { HostLine } from '../../names/container-hosts.ts'

/** Everything that decides one container. */
export interface ContainerRequest {
  rack: string
  owner: Owner
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
  /** Lines of its hosts file, besides those that its type asks for. */
  hosts: HostLine[]
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

/** A reader of Docker's log falls behind a burst: what is in a file when the next one is begun is still read. */
export const defaultLimits: ContainerLimits = { pids: 4096, logFileBytes: 32 * 1024 * 1024, logFiles: 3 }

/** What `POST /containers/create` takes. */
export interface ContainerSpec {
  name: string
  body: Record<string, unknown>
}

/**
 * Phrases the container of one copy. It starts without a restart policy: that comes when it has proved itself.
 *
 * @throws unsupported for a file of the type that can be put nowhere
 */
export function containerSpec(request: ContainerRequest): ContainerSpec {
  const { rack, owner, process: processId, plan } = request
  const network = networkName(rack, owner)
  return {
    name: markedName(
      containerName(rack, owner, plan.type, processId),
      request.kind === 'process' ? 'unproved' : 'proved',
      0,
    ),
    body: {
      Image: plan.image,
      ...(plan.container.hostname ? { Hostname: plan.container.hostname } : {}),
      ...(plan.container.domainname ? { Domainname: plan.container.domainname } : {}),
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
  const { plan, command, timeoutMs, terminal } = request
  return {
    ...foreignLabels(plan.labels),
    ...unsaid,
    [labels.rack]: request.rack,
    ...ownerLabels(request.owner),
    [labels.type]: plan.type,
    [labels.release]: request.release,
    [labels.process]: request.process,
    [labels.kind]: request.kind,
    [labels.identity]: request.identity,
    [labels.operation]: request.operation,
    [labels.cpuUnits]: String(plan.cpuUnits),
    [labels.memoryBytes]: String(plan.memoryBytes),
    ...(plan.extras ? { [labels.extras]: JSON.stringify(plan.extras) } : {}),
    [labels.command]: JSON.stringify(command ?? plan.command ?? []),
    [labels.drainMs]: String(plan.drainTimeoutMs),
    [labels.restart]: request.kind === 'process' ? plan.restart : 'no',
    ...(timeoutMs ? { [labels.timeoutMs]: String(timeoutMs) } : {}),
    ...(terminal ? { [labels.attached]: 'true' } : {}),
    ...(plan.isolation ? { [labels.networks]: JSON.stringify(networksOf(plan.isolation)) } : {}),
    ...(plan.isolation?.isEnclosed ? { [labels.enclosed]: 'true' } : {}),
    [labels.port]: String(plan.health.port ?? plan.internalPorts[0] ?? ''),
  }
}

/** A container has the labels of its image where it has none of its own: each of ours is said, those that say nothing too. */
const unsaid = Object.fromEntries(Object.values(labels).map((label) => [label, '']))

function hostConfig(request: ContainerRequest, network: string): Record<string, unknown> {
  const { rack, owner, plan, limits, terminal } = request
  return {
    NetworkMode: network,
    Memory: plan.memoryBytes,
    // The same as Memory: no swap, so the limit is the limit.
    MemorySwap: plan.memoryBytes,
    CpuShares: Math.max(2, plan.cpuUnits),
    ...hostOptions(isolatedOptions(plan), limits.pids),
    Init: plan.init,
    ExtraHosts: [...plan.extraHosts, ...request.hosts].map(({ host, address }) => `${host}:${address}`),
    RestartPolicy: { Name: 'no' },
    LogConfig: {
      Type: 'json-file',
      Config: { 'max-size': String(limits.logFileBytes), 'max-file': String(limits.logFiles) },
    },
    ...hostMounts({ rack, owner }, plan.mounts, volumesForFiles(plan)),
    // Engines before 23 do not know it: there the size comes a moment after the process.
    ...(terminal?.size ? { ConsoleSize: [terminal.size.rows, terminal.size.columns] } : {}),
  }
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

/** A person's terminal decides for a one-off; the file's `tty` and `stdin_open` are for the copies of the type alone. */
function standardStreams({ terminal, kind, plan }: ContainerRequest): Record<string, unknown> {
  if (terminal) {
    const { tty, input } = terminal
    const attached = { AttachStdin: input, AttachStdout: true, AttachStderr: true }
    return { Tty: tty, OpenStdin: input, StdinOnce: input, ...attached }
  }
  const { tty, stdinOpen } = plan.container
  if (kind !== 'process') return {}
  return { ...(tty && { Tty: true }), ...(stdinOpen && { OpenStdin: true }) }
}

/** The reader refuses such a file; a plan of another making may still have it. */
function volumesForFiles(plan: ProcessPlan): string[] {
  const { volumes, faults } = placeFiles(plan)
  const [fault] = faults
  if (!fault) return volumes
  const { file, reason, hint } = fault
  throw new RackError(
    'unsupported',
    `the ${file.kind} ${file.name} cannot be put at ${file.path}: ${reason}`,
    { hint },
  )
}
