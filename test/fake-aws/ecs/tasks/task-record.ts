import type { HealthStatus } from '@aws-sdk/client-ecs'
import { ecsArn, newId } from '../arns.ts'
import { createLagged } from '../listings.ts'
import type { ContainerRecord, EcsState, TaskEnd, TaskRecord, TaskStatus } from '../state.ts'

export type NewTask = Pick<
  TaskRecord,
  | 'cluster'
  | 'definition'
  | 'service'
  | 'group'
  | 'startedBy'
  | 'tags'
  | 'overrides'
  | 'capacityProvider'
  | 'securityGroups'
  | 'isExecuteEnabled'
>

/** Notes a task that is to be; it does not live yet. */
export function recordTask(state: EcsState, made: NewTask): TaskRecord {
  const id = newId()
  const stopping = new AbortController()
  const task: TaskRecord = {
    ...made,
    id,
    arn: ecsArn(state, `task/${made.cluster}/${id}`),
    desiredStatus: 'RUNNING',
    lastStatus: 'PROVISIONING',
    version: 1,
    times: { createdAt: new Date(state.account.clock.now()) },
    end: null,
    address: null,
    attachment: { id: newId(), type: 'ElasticNetworkInterface', status: 'PRECREATED' },
    containers: made.definition.definition.containerDefinitions.map((definition) =>
      recordContainer(state, `${made.cluster}/${id}`, definition as ContainerRecord['definition']),
    ),
    protectedUntilMs: 0,
    listedStatus: createLagged(state.account.clock),
    stopping: stopping.signal,
    isJudged: false,
    stop: (end) => stopOnce(state, task, end, stopping),
  }
  task.listedStatus.set('RUNNING')
  state.tasks.set(task.arn, task)
  state.bell.ring()
  return task
}

/** D: from now on it is to be STOPPED, and its service looks for another one. */
function stopOnce(state: EcsState, task: TaskRecord, end: TaskEnd, stopping: AbortController): void {
  if (task.end) return
  task.end = end
  task.desiredStatus = 'STOPPED'
  task.times.stoppingAt = new Date(state.account.clock.now())
  task.version++
  task.listedStatus.set('STOPPED')
  stopping.abort()
  state.bell.ring()
}

function recordContainer(
  state: EcsState,
  task: string,
  definition: ContainerRecord['definition'],
): ContainerRecord {
  return {
    arn: ecsArn(state, `container/${task}/${newId()}`),
    definition,
    lastStatus: 'PENDING',
    dockerId: null,
    imageDigest: undefined,
    exitCode: undefined,
    reason: undefined,
    health: 'UNKNOWN',
    isOutOfMemory: false,
    isAgentRunning: false,
  }
}

export function moveTask(state: EcsState, task: TaskRecord, status: TaskStatus): void {
  task.lastStatus = status
  task.version++
  state.bell.ring()
}

export function isEssential({ definition }: ContainerRecord): boolean {
  return definition.essential !== false
}

/** D: of the essential containers with a check, the worst; UNKNOWN where there is none, or none has answered. */
export function healthOf(task: TaskRecord): HealthStatus {
  const checked = task.containers.filter(
    (container) => isEssential(container) && container.definition.healthCheck,
  )
  if (checked.some(({ health }) => health === 'UNHEALTHY')) return 'UNHEALTHY'
  if (checked.length === 0 || checked.some(({ health }) => health === 'UNKNOWN')) return 'UNKNOWN'
  return 'HEALTHY'
}
