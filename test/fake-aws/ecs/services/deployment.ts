import { randomUUID } from 'node:crypto'
import type { EcsState, ServiceRecord, TaskRecord } from '../state.ts'
import { targetsOf } from '../tasks/live-task.ts'
import { healthOf } from '../tasks/task-record.ts'

/** D: the last ones a service keeps. */
const mostEvents = 100
/** D: the time between attempts grows, to 27 minutes at most; by how much is not said. */
const firstWaitMs = 10_000
const longestWaitMs = 27 * 60_000
/** How long a task has run before its service calls itself steady (J): one that ends at once never makes it so. */
const steadyMs = 15_000
/** The circuit breaker's own, where no threshold is given (D: at least 3). */
const usualThreshold = 3

export function noteEvent(state: EcsState, service: ServiceRecord, what: string): void {
  const createdAt = new Date(state.account.clock.now())
  service.events.unshift({ id: randomUUID(), createdAt, message: `(service ${service.name}) ${what}` })
  service.events.length = Math.min(service.events.length, mostEvents)
}

/** What the service concludes of tasks that have ended: when the next may start, and whether the breaker trips. */
export function judgeEnds(state: EcsState, service: ServiceRecord, tasks: TaskRecord[]): void {
  for (const task of tasks) {
    if (task.end === null || task.isJudged) continue
    task.isJudged = true
    const hasRun = task.times.startedAt !== undefined
    const hasFailed = task.end.code === 'TaskFailedToStart' || task.end.code === 'EssentialContainerExited'
    if (hasRun) service.failuresInRow = 0
    // D: only tasks that never came to run make the next one wait.
    else if (hasFailed) backOff(state, service)
    const isSick = task.end.reason.startsWith('Task failed ')
    if (hasFailed || isSick) countFailure(state, service)
  }
}

function backOff(state: EcsState, service: ServiceRecord): void {
  service.failuresInRow++
  if (service.failuresInRow < 2) return
  const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (service.failuresInRow - 2))
  service.notBeforeMs = state.account.clock.now() + waitMs
  noteEvent(state, service, 'is unable to consistently start tasks successfully.')
}

/** D: the breaker watches a deployment until it is COMPLETED. */
function countFailure(state: EcsState, service: ServiceRecord): void {
  const { deployment, request } = service
  if (deployment.rolloutState !== 'IN_PROGRESS') return
  deployment.failedTasks++
  const breaker = request.deploymentConfiguration?.deploymentCircuitBreaker
  const threshold = breaker?.thresholdConfiguration?.value ?? usualThreshold
  if (!breaker?.enable || deployment.failedTasks < threshold) return
  deployment.rolloutState = 'FAILED'
  deployment.rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.'
  deployment.updatedAt = new Date(state.account.clock.now())
  noteEvent(state, service, `(deployment ${deployment.id}) deployment failed: tasks failed to start.`)
}

/** D: steady when the count runs, is healthy, and nothing else of it is left; the deployment is COMPLETED then. */
export function noteSteady(
  state: EcsState,
  service: ServiceRecord,
  { sound, leaving }: { sound: TaskRecord[]; leaving: TaskRecord[] },
): void {
  const { deployment } = service
  const isSteady =
    leaving.length === 0 &&
    sound.length === service.desiredCount &&
    sound.every((task) => isHealthy(state, task))
  if (isSteady && !service.isSteady) {
    noteEvent(state, service, 'has reached a steady state.')
    if (deployment.rolloutState === 'IN_PROGRESS') {
      deployment.rolloutState = 'COMPLETED'
      deployment.rolloutStateReason = `ECS deployment ${deployment.id} completed.`
      deployment.updatedAt = new Date(state.account.clock.now())
    }
  }
  service.isSteady = isSteady
}

function isHealthy(state: EcsState, task: TaskRecord): boolean {
  const { startedAt } = task.times
  if (task.lastStatus !== 'RUNNING' || state.account.clock.now() < startedAt!.getTime() + steadyMs)
    return false
  const isChecked = task.containers.some(({ definition }) => definition.healthCheck)
  if (isChecked && healthOf(task) !== 'HEALTHY') return false
  return targetsOf(task).every(([arn, target]) => state.targetGroups.health(arn, target) === 'healthy')
}
