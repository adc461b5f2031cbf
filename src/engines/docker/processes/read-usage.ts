import type { Control } from '../../../domain/control.ts'
import type { ProcessFilter, Usage } from '../../../domain/process.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { findCopies, type FoundCopy } from '../containers/found-copy.ts'
import type { EngineParts } from '../parts.ts'

/** What is read of Docker's answer, on either kind of control groups. */
export interface Stats {
  /** RFC 3339; the year 1 of a container that does not run. */
  read: string
  cpu_stats: CpuStats
  precpu_stats: CpuStats
  memory_stats: MemoryStats
}

interface CpuStats {
  /** Nanoseconds. */
  cpu_usage: { total_usage: number }
  system_cpu_usage?: number
  online_cpus?: number
}

interface MemoryStats {
  usage?: number
  limit?: number
  stats?: { inactive_file?: number; total_inactive_file?: number }
}

const mostAtOnce = 8
const deadlineMs = 5000
const longestMs = 8000

/** What the copies take that run, each by one reading of its control group; nothing of one that does not say it in time. */
export async function readUsage(
  { docker, rack }: Pick<EngineParts, 'docker' | 'rack'>,
  { owner }: Pick<ProcessFilter, 'owner'>,
  control: Control,
): Promise<Usage[]> {
  const copies = await findCopies(docker, rack, { owner }, control)
  const running = copies.filter(({ state }) => state === 'running')
  const signal = AbortSignal.any([control.signal, AbortSignal.timeout(longestMs)])
  const read = async ({ process: id, container, memoryBytes }: FoundCopy): Promise<Usage[]> => {
    try {
      const query = { stream: false, 'one-shot': true }
      const request = { path: `/containers/${container}/stats`, query, deadlineMs }
      return usageOf(id, memoryBytes, await docker.json<Stats>(request, { signal }))
    } catch (error) {
      if (control.signal.aborted) throw error
      return []
    }
  }
  return (await mapBounded(running, mostAtOnce, read, control.signal)).flat()
}

/** Nothing of one that has ended meanwhile. */
function usageOf(id: string, limitBytes: number, { read, cpu_stats, memory_stats }: Stats): Usage[] {
  if (memory_stats.usage === undefined) return []
  return [
    {
      process: id,
      time: new Date(read).toISOString(),
      cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9,
      memoryBytes: usedMemory(memory_stats),
      memoryLimitBytes: limitBytes > 0 ? limitBytes : null,
    },
  ]
}

/** What Docker's own command line shows: without files that are kept in memory because there is room. */
export function usedMemory({ usage = 0, stats }: MemoryStats): number {
  return Math.max(0, usage - (stats?.total_inactive_file ?? stats?.inactive_file ?? 0))
}
