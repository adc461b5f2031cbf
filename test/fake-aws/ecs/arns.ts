import { randomBytes } from 'node:crypto'
import type { EcsState, DefinitionRecord, ServiceRecord, TaskRecord } from './state.ts'
import { AwsError } from '../fake-service.ts'
import { clientError, invalid } from './refusals.ts'

export function ecsArn({ account }: EcsState, resource: string): string {
  return `arn:aws:ecs:${account.region}:${account.account}:${resource}`
}

/** 32 hexadecimal digits, as ECS names tasks. */
export function newId(): string {
  return randomBytes(16).toString('hex')
}

/** The name behind a name or an ARN. */
export function nameOf(nameOrArn: string): string {
  return nameOrArn.split('/').at(-1)!
}

/** @throws AwsError ClusterNotFoundException (D); the cluster `default` is asked for where none is named (D) */
export function clusterOf(state: EcsState, given: string | undefined): string {
  const name = nameOf(given ?? 'default')
  if (!state.clusters.has(name)) throw new AwsError('ClusterNotFoundException', 'Cluster not found.')
  return name
}

export function findService(state: EcsState, cluster: string, nameOrArn: string): ServiceRecord | null {
  return state.services.get(ecsArn(state, `service/${cluster}/${nameOf(nameOrArn)}`)) ?? null
}

/** @throws AwsError where there is none, or it is on its way out (D) */
export function activeService(state: EcsState, cluster: string, nameOrArn: string): ServiceRecord {
  const service = findService(state, cluster, nameOrArn)
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.')
  if (service.status !== 'ACTIVE') throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.')
  return service
}

/** Tasks are forgotten an hour after their end (D). */
const rememberedMs = 3_600_000

export function findTask(state: EcsState, cluster: string, idOrArn: string): TaskRecord | null {
  forgetOldTasks(state)
  return state.tasks.get(ecsArn(state, `task/${cluster}/${nameOf(idOrArn)}`)) ?? null
}

export function forgetOldTasks(state: EcsState): void {
  const oldest = state.account.clock.now() - rememberedMs
  for (const [arn, { times }] of state.tasks) {
    if (times.stoppedAt && times.stoppedAt.getTime() < oldest) state.tasks.delete(arn)
  }
}

/** By ARN, `family:revision`, or the family alone, which means its newest active revision (D). */
export function findDefinition(state: EcsState, given: string): DefinitionRecord | null {
  const [, family = '', revision] = /^(?:arn:.*:task-definition\/)?([\w-]+)(?::(\d+))?$/.exec(given) ?? []
  if (revision !== undefined) {
    return state.definitions.get(ecsArn(state, `task-definition/${family}:${revision}`)) ?? null
  }
  const active = [...state.definitions.values()].filter(
    ({ definition }) => definition.family === family && definition.status === 'ACTIVE',
  )
  return active.sort((a, b) => b.definition.revision! - a.definition.revision!)[0] ?? null
}

/** What a service or a task may be made of (D). */
export function usableDefinition(state: EcsState, given: string | undefined): DefinitionRecord {
  if (given === undefined) throw invalid('TaskDefinition can not be blank.')
  const found = findDefinition(state, given)
  if (!found) throw clientError('TaskDefinition not found.')
  if (found.definition.status !== 'ACTIVE') throw clientError('TaskDefinition is inactive')
  return found
}
