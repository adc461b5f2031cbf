import type { ProcessLabels } from '../labels.ts'
import { readLabels } from '../labels.ts'
import type { ContainerInspect, ContainerState, ContainerSummary } from './docker-types.ts'
import type { DockerClient } from '../client.ts'
import type { Control } from '../../../domain/control.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { isNotFound } from '../errors.ts'
import { labels, ownedBy } from '../labels.ts'
import { networkName, readMark } from './names.ts'
import type { CopyMark } from '../../../rollout/runtime.ts'

/** A container of the rack as it is now. */
export interface FoundCopy extends ProcessLabels {
  container: string
  createdMs: number
  state: ContainerState
  /** The main process on the host; 0 when none runs. */
  pid: number
  exitCode: number
  isOutOfMemory: boolean
  restarts: number
  startedAt: string
  health: 'starting' | 'healthy' | 'unhealthy' | null
  /** Docker's policy: a copy that has proved itself has its plan's. */
  restartPolicy: string
  /** The address that the rack gave it; null when it is on no network, half way through being named. */
  address: string | null
  aliases: string[]
  /** Docker's names of the networks that it is on. */
  connections: string[]
  /** Names that its hosts file knows. */
  hosts: string[]
  isTty: boolean
  /** Entrypoint and command as Docker runs them. */
  arguments: string[]
  mark: CopyMark
  /** The container's name without its mark. */
  name: string
  /** Since when it drains. */
  drainingSinceMs: number | null
  finishedAt: string
  /** Docker's names of the volumes that it has. */
  volumes: string[]
}

type Signalled = Pick<Control, 'signal'>

/** The rack's containers, or those that the extra labels pick, without looking into each. */
export async function listContainers(
  docker: DockerClient,
  rack: string,
  more: Parameters<typeof ownedBy>[1],
  control: Signalled,
  filters: Record<string, string[]> = {},
): Promise<ContainerSummary[]> {
  const query = { all: true, filters: { ...ownedBy(rack, more), ...filters } }
  const found = await docker.json<ContainerSummary[]>({ path: '/containers/json', query }, control)
  return found.filter((each) => each.Labels[labels.process] !== undefined)
}

/** The same, looked into. Containers that go while they are looked at are left out. */
export async function findCopies(
  docker: DockerClient,
  rack: string,
  more: Parameters<typeof ownedBy>[1],
  control: Signalled,
): Promise<FoundCopy[]> {
  const listed = await listContainers(docker, rack, more, control)
  const found = await mapBounded(listed, 8, ({ Id }) => inspectCopy(docker, Id, control), control.signal)
  return found.filter((copy) => copy !== null)
}

/** One container by its id; null when it is gone or not a rack's. */
export async function inspectCopy(
  docker: DockerClient,
  id: string,
  control: Signalled,
): Promise<FoundCopy | null> {
  try {
    return foundCopy(await docker.json<ContainerInspect>({ path: `/containers/${id}/json` }, control))
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

/** Reads what `inspect` says; null for a container without a rack's labels. */
function foundCopy(inspected: ContainerInspect): FoundCopy | null {
  const known = readLabels(inspected.Config.Labels)
  if (!known) return null
  const { State, HostConfig, NetworkSettings } = inspected
  const { base, mark, sinceMs } = readMark(inspected.Name)
  const endpoint = NetworkSettings.Networks?.[networkName(known.rack, known.owner)]
  return {
    ...known,
    container: inspected.Id,
    createdMs: Date.parse(inspected.Created),
    state: State.Status,
    pid: State.Pid,
    exitCode: State.ExitCode,
    // Also true when only a child was killed: the exit code must agree.
    isOutOfMemory: State.OOMKilled && State.ExitCode === 137,
    restarts: inspected.RestartCount,
    startedAt: State.StartedAt,
    health: healthOf(State.Health),
    restartPolicy: HostConfig.RestartPolicy.Name || 'no',
    address: endpoint?.IPAMConfig?.IPv4Address ?? null,
    aliases: endpoint?.Aliases ?? [],
    connections: Object.keys(NetworkSettings.Networks ?? {}),
    hosts: (HostConfig.ExtraHosts ?? []).map((line) => line.split(':', 1)[0]!),
    isTty: inspected.Config.Tty,
    arguments: [...(inspected.Config.Entrypoint ?? []), ...(inspected.Config.Cmd ?? [])],
    mark,
    name: base,
    drainingSinceMs: sinceMs,
    finishedAt: State.FinishedAt,
    volumes: (inspected.Mounts ?? []).flatMap(({ Name }) => Name ?? []),
  }
}

/** Docker calls a copy unhealthy that was frozen, until its next check: only failures in a row are believed. */
function healthOf(health: ContainerInspect['State']['Health']): FoundCopy['health'] {
  if (!health || health.Status === 'none') return null
  return health.Status === 'unhealthy' && health.FailingStreak === 0 ? 'starting' : health.Status
}
