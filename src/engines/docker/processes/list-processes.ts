import type { Control } from '../../../domain/control.ts'
import type { Process, ProcessFilter, ProcessStatus } from '../../../domain/process.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { isNotFound } from '../errors.ts'
import { findCopies, type FoundCopy } from '../containers/found-copy.ts'
import type { EngineParts } from '../parts.ts'

/** The processes that the filter picks, by app, type and age. */
export async function listProcesses(
  parts: EngineParts,
  filter: ProcessFilter,
  control: Control,
): Promise<Process[]> {
  const { app, type, id, stats, all } = filter
  const more = { ...(app ? { app } : {}), ...(type ? { type } : {}), ...(id ? { process: id } : {}) }
  const found = await findCopies(parts.docker, parts.rack, more, control)
  const shown = found.filter((copy) => all || id !== undefined || !hasLeft(copy))
  const sorted = shown.sort(
    (a, b) => compare(a.app, b.app) || compare(a.type, b.type) || a.createdMs - b.createdMs,
  )
  const processes = sorted.map((copy) => describeProcess(copy, parts.leaving))
  if (!stats) return processes
  return await mapBounded(
    sorted.map((copy, index) => ({ copy, process: processes[index]! })),
    8,
    async ({ copy, process }) => ({ ...process, ...(await sample(parts, copy, control)) }),
    control.signal,
  )
}

/** One container in the words of `rack ps`. */
export function describeProcess(copy: FoundCopy, leaving: ReadonlyMap<string, ProcessStatus>): Process {
  const status = leaving.get(copy.process) ?? statusOf(copy)
  const isOver = status === 'completed' || status === 'crashed' || status === 'restarting'
  return {
    id: copy.process,
    app: copy.app,
    type: copy.type,
    kind: copy.kind,
    status,
    detail: detailOf(copy, status),
    release: copy.release,
    started: startedOf(copy),
    command: copy.command.length > 0 ? copy.command : copy.arguments,
    address: copy.address,
    exitCode: isOver ? copy.exitCode : null,
    restarts: copy.restarts,
    cpuUnits: copy.cpuUnits,
    memoryBytes: copy.memoryBytes,
    cpuPercent: null,
    memoryPercent: null,
  }
}

function statusOf(copy: FoundCopy): ProcessStatus {
  switch (copy.state) {
    case 'created':
      return 'starting'
    case 'running':
    case 'paused':
      if (copy.health === 'unhealthy') return 'unhealthy'
      return copy.kind === 'process' && copy.restartPolicy !== copy.restart ? 'starting' : 'running'
    case 'restarting':
      return 'restarting'
    case 'exited':
      return copy.exitCode === 0 ? 'completed' : 'crashed'
    case 'removing':
    case 'dead':
      return 'stopping'
  }
}

/** `crashed (137, OOM) ×6`; a copy that runs again still says how often it has been restarted. */
function detailOf({ exitCode, isOutOfMemory, restarts }: FoundCopy, status: ProcessStatus): string | null {
  const times = restarts > 0 ? ` ×${restarts}` : ''
  if (status === 'restarting' || status === 'crashed') {
    return `crashed (${exitCode}${isOutOfMemory ? ', OOM' : ''})${times}`
  }
  return restarts > 0 ? `restarted${times}` : null
}

function startedOf({ startedAt }: FoundCopy): string | null {
  const ms = Date.parse(startedAt)
  return ms > 0 ? new Date(ms).toISOString() : null
}

/** Ended one-offs, and copies that the rack itself has stopped: they are on their way out. */
function hasLeft({ kind, state, restart, restartPolicy }: FoundCopy): boolean {
  if (state !== 'exited') return state === 'removing' || state === 'dead'
  return kind !== 'process' || restart !== restartPolicy
}

interface Stats {
  cpu_stats: CpuStats
  precpu_stats: CpuStats
  memory_stats: {
    usage?: number
    limit?: number
    stats?: { inactive_file?: number; total_inactive_file?: number }
  }
}

interface CpuStats {
  cpu_usage: { total_usage: number }
  system_cpu_usage?: number
  online_cpus?: number
}

/** Docker itself measures over one second. */
async function sample({ docker }: EngineParts, { container, state }: FoundCopy, control: Control) {
  if (state !== 'running') return {}
  try {
    const request = { path: `/containers/${container}/stats`, query: { stream: false } }
    const {
      cpu_stats: now,
      precpu_stats: before,
      memory_stats: memory,
    } = await docker.json<Stats>(request, control)
    const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
    const system = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
    const cache = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0
    return {
      cpuPercent: system > 0 ? round((used / system) * (now.online_cpus ?? 1) * 100) : 0,
      memoryPercent: memory.limit ? round((((memory.usage ?? 0) - cache) / memory.limit) * 100) : 0,
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
