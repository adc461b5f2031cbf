import type { Task, TaskDefinition } from '@aws-sdk/client-ecs'
import type { Process, ProcessStatus } from '../../../domain/process.ts'
import type { FoundGeneration } from '../look/found.ts'
import type { Chain } from './chains.ts'

/** What a task is told by. */
export interface KnownTask extends Chain {
  /** Null for what runs by itself, and for a task whose service is gone. */
  generation: FoundGeneration | null
  definition: TaskDefinition | null
  /** True where ECS is to start another one in its place. */
  isVacant: boolean
}

/** How the process of a task has ended. */
export interface MainEnd {
  code: number | null
  isOutOfMemory: boolean
}

/** Null while it runs, or has not begun. */
function endOfMain(task: Task): MainEnd | null {
  const main = task.containers?.find(({ name }) => name === 'main')
  if (main?.exitCode === undefined && task.lastStatus !== 'STOPPED') return null
  return { code: main?.exitCode ?? null, isOutOfMemory: (main?.reason ?? '').startsWith('OutOfMemory') }
}

/** A task in the words of `rack ps`. */
export function describeProcess(known: KnownTask): Process {
  const { last, before, definition } = known
  const { task, tags } = last
  const ends = [...before, last].flatMap((each) => endOfMain(each.task) ?? [])
  const end = ends.at(-1) ?? null
  const status = statusOf(known, endOfMain(task))
  const restarts = before.length
  return {
    id: last.process,
    owner: last.owner,
    type: last.type,
    kind: last.kind,
    status,
    detail: detailOf(task, status, { restarts, end }),
    release: last.release,
    started: task.startedAt?.toISOString() ?? null,
    ended: task.lastStatus === 'STOPPED' && !known.isVacant ? (task.stoppedAt?.toISOString() ?? null) : null,
    command: commandOf(task, definition),
    address: last.address,
    exitCode: end?.code ?? null,
    restarts,
    outOfMemory: ends.filter(({ isOutOfMemory }) => isOutOfMemory).length,
    cpuUnits: Number(tags.cpu ?? 0),
    memoryBytes: Number(tags.memory ?? 0),
    cpuPercent: null,
    memoryPercent: null,
  }
}

function statusOf({ last: { task }, generation, isVacant }: KnownTask, end: MainEnd | null): ProcessStatus {
  if (isVacant) return 'restarting'
  switch (task.lastStatus) {
    case 'RUNNING':
      if (end !== null) return endedAs(end)
      if (task.desiredStatus === 'STOPPED' || generation?.tags.state === 'leaving') return 'draining'
      if (task.healthStatus === 'UNHEALTHY') return 'unhealthy'
      return generation?.tags.state === 'proving' ? 'starting' : 'running'
    case 'DEACTIVATING':
      return end ? endedAs(end) : 'draining'
    case 'STOPPING':
    case 'DEPROVISIONING':
      return end ? endedAs(end) : 'stopping'
    case 'STOPPED':
    case 'DELETED':
      return endedAs(end)
    default:
      return 'starting'
  }
}

function endedAs(end: MainEnd | null): ProcessStatus {
  return end?.code === 0 ? 'completed' : 'crashed'
}

/** `crashed (137, OOM) ×6`; one that runs again still says how it ended, and how often it has been restarted. */
function detailOf(
  task: Task,
  status: ProcessStatus,
  { restarts, end }: { restarts: number; end: MainEnd | null },
): string | null {
  const times = restarts > 0 ? ` ×${restarts}` : ''
  const crashed = end && `crashed (${end.code ?? 'not started'}${end.isOutOfMemory ? ', OOM' : ''})${times}`
  if (status === 'restarting') return crashed
  if (status === 'crashed') return end?.code === null ? (task.stoppedReason ?? crashed) : crashed
  if (status === 'unhealthy') return 'unhealthy (its healthcheck fails)'
  if (restarts === 0 || !crashed) return null
  return `${status}, ${crashed}`
}

/** As it was overridden, or as its definition says; none where both leave it to the image. */
function commandOf({ overrides }: Task, definition: TaskDefinition | null): string[] {
  const own = overrides?.containerOverrides?.find(({ name }) => name === 'main')?.command
  const main = definition?.containerDefinitions?.find(({ name }) => name === 'main')
  return own ?? main?.command ?? []
}
