import type { FoundTask } from '../look/found.ts'

/** A task with those that it stands in for: each began when the one before had ended by itself. */
export interface Chain {
  /** The newest of them. */
  last: FoundTask
  /** Oldest first. */
  before: FoundTask[]
}

/**
 * Tasks of one service as its copies: ECS starts a new task for each that ends by itself, and says not for which, so
 * the oldest that has nobody in its place is followed by the first that began after its end.
 */
export function chainsOf(tasks: FoundTask[]): Chain[] {
  const chains: Chain[] = []
  for (const task of tasks.toSorted((a, b) => a.createdMs - b.createdMs)) {
    const ended = chains
      .filter(({ last }) => endedByItself(last) && endOf(last) <= task.createdMs)
      .toSorted((a, b) => endOf(a.last) - endOf(b.last))[0]
    if (!ended) {
      chains.push({ last: task, before: [] })
      continue
    }
    ended.before.push(ended.last)
    ended.last = task
  }
  return chains
}

/** A task that somebody stopped was not wanted any more. */
export function endedByItself({ task }: FoundTask): boolean {
  const { desiredStatus, stopCode, stoppedReason = '' } = task
  if (desiredStatus !== 'STOPPED') return false
  // ECS replaces one whose check fails, in words of its own.
  return stopCode === 'EssentialContainerExited' || stoppedReason.includes('failed container health checks')
}

/** When ECS knew that it ends: its successor may begin before it is cleared away. */
function endOf({ task }: FoundTask): number {
  const at = task.executionStoppedAt ?? task.stoppingAt ?? task.stoppedAt
  return at?.getTime() ?? Infinity
}
