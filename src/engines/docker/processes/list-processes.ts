import type { Control } from '../../../domain/control.ts'
import { compareOwners } from '../../../domain/owner.ts'
import type { Process, ProcessFilter, ProcessStatus } from '../../../domain/process.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { isNotFound } from '../errors.ts'
import { createLastExits, type LastExit } from '../containers/last-exits.ts'
import { findCopies, type FoundCopy } from '../containers/found-copy.ts'
import type { EngineParts, HealthKeeper } from '../parts.ts'
import { usedMemory, type Stats } from './read-usage.ts'

/** The processes that the filter picks, by owner, type and age. */
export async function listProcesses(
  parts: EngineParts,
  filter: ProcessFilter,
  control: Control,
): Promise<Process[]> {
  const { owner, type, id, operation, stats, all } = filter
  const more = {
    owner,
    ...(type ? { type } : {}),
    ...(id ? { process: id } : {}),
    ...(operation ? { operation } : {}),
  }
  const found = await findCopies(parts.docker, parts.rack, more, control)
  const shown = found.filter((copy) => all || id !== undefined || !hasLeft(copy))
  const sorted = shown.sort(
    (a, b) => compareOwners(a.owner, b.owner) || compare(a.type, b.type) || a.createdMs - b.createdMs,
  )
  const processes = sorted.map((copy) => describeProcess(copy, parts))
  if (!stats) return processes
  return await mapBounded(
    sorted.map((copy, index) => ({ copy, process: processes[index]! })),
    8,
    async ({ copy, process: running }) => ({ ...running, ...(await sample(parts, copy, control)) }),
    control.signal,
  )
}

/** One container in the words of `rack ps`. */
export function describeProcess(copy: FoundCopy, known: Known = knowsNothing): Process {
  const isDown = known.health.isDown(copy.process)
  const status = known.leaving.get(copy.process) ?? statusOf(copy, isDown, Date.now())
  const exit = lastExitOf(copy, known)
  return {
    id: copy.process,
    owner: copy.owner,
    type: copy.type,
    kind: copy.kind,
    status,
    detail: detailOf(copy, status, exit),
    release: copy.release,
    started: timeOf(copy.startedAt),
    ended: copy.state === 'exited' ? timeOf(copy.finishedAt) : null,
    command: copy.command.length > 0 ? copy.command : copy.arguments,
    address: copy.address,
    exitCode: exit?.code ?? null,
    restarts: copy.restarts,
    outOfMemory: timesOutOfMemory(copy, known),
    cpuUnits: copy.cpuUnits,
    memoryBytes: copy.memoryBytes,
    cpuPercent: null,
    memoryPercent: null,
  }
}

/** One that was never started again tells it itself. */
function timesOutOfMemory(
  { container, restarts, isOutOfMemory }: FoundCopy,
  { exits }: Known,
): number | null {
  const last = Number(isOutOfMemory)
  if (restarts === 0) return last
  const counted = exits.outOfMemory(container)
  return counted === null ? null : Math.max(counted, last)
}

/** What no container can tell of itself. */
type Known = Pick<EngineParts, 'leaving' | 'exits'> & { health: Pick<HealthKeeper, 'isDown'> }

const knowsNothing: Known = {
  leaving: new Map(),
  health: { isDown: () => false },
  exits: createLastExits(),
}

/** Docker itself starts anew to count when a container has run for so long. */
const steadyMs = 10_000
/** So many crashes in a row are a loop: a copy that has just been started again will hardly stay. */
const loopRestarts = 3

function statusOf(copy: FoundCopy, isDown: boolean, nowMs: number): ProcessStatus {
  switch (copy.state) {
    case 'created':
      return 'starting'
    case 'running':
    case 'paused':
      if (copy.mark === 'draining' || copy.mark === 'parked') return 'draining'
      if (isInLoop(copy, nowMs)) return 'restarting'
      if (copy.health === 'unhealthy') return 'unhealthy'
      if (copy.mark === 'unproved') return 'starting'
      return isDown ? 'unhealthy' : 'running'
    case 'restarting':
      return 'restarting'
    case 'exited':
      if (wasStopped(copy)) return 'stopped'
      return copy.exitCode === 0 ? 'completed' : 'crashed'
    case 'removing':
    case 'dead':
      return 'stopping'
  }
}

function isInLoop({ restarts, startedAt }: FoundCopy, nowMs: number): boolean {
  return restarts >= loopRestarts && nowMs - Date.parse(startedAt) < steadyMs
}

/**
 * Docker itself starts again what ends by itself, and a good end is marked: one that serves, and stays down otherwise, was
 * stopped by another hand.
 */
function wasStopped({ kind, mark, restart }: FoundCopy): boolean {
  return kind === 'process' && mark === 'proved' && restart !== 'no'
}

function lastExitOf(copy: FoundCopy, { exits }: Known): LastExit | null {
  const hasEnded = copy.state === 'exited' || copy.state === 'restarting'
  if (!hasEnded) return copy.restarts > 0 ? exits.of(copy.container) : null
  const known = exits.of(copy.container)
  const isOutOfMemory = copy.isOutOfMemory || (known?.code === copy.exitCode && known.isOutOfMemory)
  return { code: copy.exitCode, isOutOfMemory }
}

/** `crashed (137, OOM) ×6`; a copy that runs again still says how it ended, and how often it has been restarted. */
function detailOf(
  { restarts, health }: FoundCopy,
  status: ProcessStatus,
  exit: LastExit | null,
): string | null {
  const times = restarts > 0 ? ` ×${restarts}` : ''
  const crashed = exit && `crashed (${exit.code}${exit.isOutOfMemory ? ', OOM' : ''})${times}`
  if (status === 'restarting' || status === 'crashed') return crashed ?? `crashed${times}`
  if (status === 'unhealthy') {
    return `unhealthy (${health === 'unhealthy' ? 'its healthcheck fails' : 'it does not answer the router'})`
  }
  if (restarts === 0) return null
  return crashed ? `${status}, ${crashed}` : `restarted${times}`
}

/** Docker writes the year 1 for what has not happened. */
function timeOf(text: string): string | null {
  const ms = Date.parse(text)
  return ms > 0 ? new Date(ms).toISOString() : null
}

/** Ended one-offs, and copies that the rack itself has stopped: they are on their way out. */
function hasLeft({ kind, state, mark }: FoundCopy): boolean {
  if (state !== 'exited') return state === 'removing' || state === 'dead'
  return kind !== 'process' || mark === 'parked' || mark === 'draining'
}

/** Docker itself measures over one second. */
async function sample({ docker }: EngineParts, { container, state }: FoundCopy, control: Control) {
  if (state !== 'running') return {}
  try {
    const request = { path: `/containers/${container}/stats`, query: { stream: false } }
    const { cpu_stats: now, precpu_stats: before, memory_stats } = await docker.json<Stats>(request, control)
    const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
    const system = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
    return {
      cpuPercent: system > 0 ? round((used / system) * (now.online_cpus ?? 1) * 100) : 0,
      memoryPercent: memory_stats.limit ? round((usedMemory(memory_stats) / memory_stats.limit) * 100) : 0,
    }
  } catch (error) {
    if (isNotFound(error)) return {}
    throw error
  }
}

const round = (value: number) => Math.round(value * 10) / 10

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
