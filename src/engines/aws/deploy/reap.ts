import { until } from '../../../lib/poll.ts'
import { allTasks } from '../look/service-tasks.ts'
import type { AwsParts } from '../parts.ts'
import type { Generation } from './own.ts'
import { removeGeneration } from './remove-parts.ts'

/** Longer than any drain and any stop that ECS has. */
const reapDeadlineMs = 2 * 3600_000

/** Waits behind everybody's back until the copies of a generation have left, then takes away what it stood on. */
export function reapGeneration(parts: AwsParts, generation: Generation): void {
  if (parts.leavingServices.has(generation.name)) return
  parts.leavingServices.add(generation.name)
  parts.behind(async (signal) => {
    try {
      await awaitGone(parts, generation, signal)
      await removeGeneration(parts, generation, { signal })
    } finally {
      parts.leavingServices.delete(generation.name)
    }
  })
}

/** Settles when every task of it has stopped: what drains has left the counts of the service before. */
export async function awaitGone(
  parts: AwsParts,
  { name }: Pick<Generation, 'name'>,
  signal: AbortSignal,
): Promise<void> {
  const isGone = async () => {
    const tasks = await allTasks(parts, { serviceName: name }, { signal })
    return tasks.every(({ task }) => task.lastStatus === 'STOPPED')
  }
  const what = `${name} to leave`
  await until(isGone, { intervalMs: parts.intervals.tasks, deadlineMs: reapDeadlineMs, what, signal })
}
