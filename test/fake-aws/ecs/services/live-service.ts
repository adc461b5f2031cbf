import { abortable } from '../../../../src/lib/deadline.ts'
import { runBeside, type EcsState, type ServiceRecord, type TaskEnd, type TaskRecord } from '../state.ts'
import { liveTask, targetsOf } from '../tasks/live-task.ts'
import { healthOf, recordTask } from '../tasks/task-record.ts'
import { tasksOf } from './describe-service.ts'
import { judgeEnds, noteEvent, noteSteady } from './deployment.ts'

/** How often the scheduler looks when nothing changes (J): health of targets rings no bell. */
const lookMs = 2000

/** Keeps the count of one service until it is INACTIVE. */
export async function liveService(state: EcsState, service: ServiceRecord): Promise<void> {
  const { signal } = state.ending
  while (service.status !== 'INACTIVE') {
    const changed = state.bell.heard()
    converge(state, service)
    await abortable(Promise.race([changed, state.account.clock.pass(lookMs)]), signal)
  }
}

function converge(state: EcsState, service: ServiceRecord): void {
  const tasks = tasksOf(state, service)
  judgeEnds(state, service, tasks)
  // Those of an earlier deployment make room for its successor's.
  for (const task of tasks) {
    if (task.desiredStatus === 'RUNNING' && task.definition !== service.definition)
      task.stop(scalingEnd(service))
  }
  const alive = tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING')
  if (service.status === 'DRAINING') {
    for (const task of alive) task.stop(scalingEnd(service))
    if (tasks.every(({ lastStatus }) => lastStatus === 'STOPPED')) service.status = 'INACTIVE'
    return
  }
  const leaving = tasks.filter((task) => task.desiredStatus === 'STOPPED' && task.lastStatus !== 'STOPPED')
  const now = state.account.clock.now()
  const sick = alive.filter((task) => whySick(state, task, now) !== null)
  const sound = alive.filter((task) => !sick.includes(task))
  const missing = service.desiredCount - sound.length
  launch(state, service, Math.min(missing, roomFor(service, alive, leaving)), now)
  replaceSick(state, service, { sick, sound, now })
  if (missing < 0) scaleIn(state, service, sound, { count: -missing, now })
  noteSteady(state, service, { sound, leaving })
}

/**
 * How many more the maximum percent leaves room for (D). Where it is 100, those that are ending count too: the old
 * holder of a volume is gone before the new one starts (J: aws.md 1.3).
 */
function roomFor(service: ServiceRecord, alive: TaskRecord[], leaving: TaskRecord[]): number {
  const { maximumPercent = 200 } = service.request.deploymentConfiguration ?? {}
  const most = Math.floor((service.desiredCount * maximumPercent) / 100)
  return most - alive.length - (maximumPercent === 100 ? leaving.length : 0)
}

function launch(state: EcsState, service: ServiceRecord, count: number, now: number): void {
  // D: a circuit breaker that has tripped, and starts that fail again and again, keep it from starting more.
  if (count <= 0 || service.deployment.rolloutState === 'FAILED' || now < service.notBeforeMs) return
  const { request } = service
  const tags = request.propagateTags === 'SERVICE' ? service.tags : []
  const started = Array.from({ length: count }, () =>
    recordTask(state, {
      cluster: service.cluster,
      definition: service.definition,
      service,
      group: `service:${service.name}`,
      startedBy: service.deployment.id,
      tags: structuredClone(request.propagateTags === 'TASK_DEFINITION' ? service.definition.tags : tags),
      overrides: {},
      capacityProvider: request.capacityProviderStrategy![0],
      securityGroups: request.networkConfiguration?.awsvpcConfiguration?.securityGroups ?? [],
      isExecuteEnabled: request.enableExecuteCommand ?? false,
    }),
  )
  for (const task of started) runBeside(state, () => liveTask(state, task))
  noteEvent(state, service, `has started ${count} tasks: ${namesOf(started)}.`)
}

/**
 * D: neither balancers nor checks of containers count within the grace period. It is the process's own time, and real:
 * a process starts no faster here than elsewhere.
 */
function whySick(state: EcsState, task: TaskRecord, now: number): string | null {
  const { factor } = state.account.clock
  const graceMs = (task.service?.request.healthCheckGracePeriodSeconds ?? 0) * 1000 * factor
  const { startedAt } = task.times
  if (task.lastStatus !== 'RUNNING' || now < startedAt!.getTime() + graceMs) return null
  if (healthOf(task) === 'UNHEALTHY') return 'Task failed container health checks'
  const sick = targetsOf(task).find(([arn, target]) => state.targetGroups.health(arn, target) === 'unhealthy')
  return sick ? `Task failed ELB health checks in (target-group ${sick[0]})` : null
}

/** D: the successor starts first where there is room for it; otherwise the unhealthy one makes room. */
function replaceSick(
  state: EcsState,
  service: ServiceRecord,
  { sick, sound, now }: { sick: TaskRecord[]; sound: TaskRecord[]; now: number },
): void {
  if (sick.length === 0) return
  const { maximumPercent = 200 } = service.request.deploymentConfiguration ?? {}
  const ready = sound.filter(({ lastStatus }) => lastStatus === 'RUNNING').length
  if (maximumPercent > 100 && ready < service.desiredCount) return
  for (const task of sick) {
    const reason = whySick(state, task, now)!
    noteEvent(state, service, `has stopped 1 running tasks: (task ${task.id}): ${reason}.`)
    task.stop({ code: 'ServiceSchedulerInitiated', reason })
  }
}

/** D: those that do not run yet first, never a protected one; which of the others is not said. */
function scaleIn(
  state: EcsState,
  service: ServiceRecord,
  sound: TaskRecord[],
  { count, now }: { count: number; now: number },
): void {
  const free = sound
    .filter(({ protectedUntilMs }) => protectedUntilMs <= now)
    .map((task) => ({ task, order: task.lastStatus === 'RUNNING' ? 1 + Math.random() : 0 }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ task }) => task)
  if (free.length === 0) return
  for (const task of free) task.stop(scalingEnd(service))
  noteEvent(state, service, `has stopped ${free.length} running tasks: ${namesOf(free)}.`)
}

function scalingEnd({ deployment }: ServiceRecord): TaskEnd {
  return {
    code: 'ServiceSchedulerInitiated',
    reason: `Scaling activity initiated by (deployment ${deployment.id})`,
  }
}

function namesOf(tasks: TaskRecord[]): string {
  return tasks.map(({ id }) => `(task ${id})`).join(' ')
}
