import type { Service } from '@aws-sdk/client-ecs'
import { ecsArn } from '../arns.ts'
import type { EcsState, ServiceRecord, TaskRecord } from '../state.ts'

/** As DescribeServices tells of it (D). */
export function describeService(
  state: EcsState,
  service: ServiceRecord,
  { withTags }: { withTags: boolean },
): Service {
  const { request } = service
  const counts = countsOf(state, service)
  const definition = service.definition.definition.taskDefinitionArn
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: ecsArn(state, `cluster/${service.cluster}`),
    status: service.status,
    taskDefinition: definition,
    ...counts,
    capacityProviderStrategy: request.capacityProviderStrategy,
    platformVersion: 'LATEST',
    platformFamily: 'Linux',
    schedulingStrategy: 'REPLICA',
    deploymentController: { type: 'ECS' },
    deploymentConfiguration: {
      strategy: 'ROLLING',
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      ...request.deploymentConfiguration,
    },
    networkConfiguration: request.networkConfiguration,
    loadBalancers: request.loadBalancers ?? [],
    serviceRegistries: request.serviceRegistries ?? [],
    healthCheckGracePeriodSeconds: request.healthCheckGracePeriodSeconds,
    enableExecuteCommand: request.enableExecuteCommand ?? false,
    propagateTags: request.propagateTags ?? 'NONE',
    availabilityZoneRebalancing: request.availabilityZoneRebalancing,
    createdAt: new Date(service.createdAtMs),
    deployments:
      service.status === 'INACTIVE' ? [] : [{ ...service.deployment, taskDefinition: definition, ...counts }],
    events: service.events,
    tags: withTags ? service.tags : [],
  }
}

function countsOf(state: EcsState, service: ServiceRecord) {
  const tasks = tasksOf(state, service)
  const running = tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING')
  const pending = tasks.filter(({ lastStatus }) => startingStatuses.has(lastStatus))
  return { desiredCount: service.desiredCount, runningCount: running.length, pendingCount: pending.length }
}

const startingStatuses = new Set(['PROVISIONING', 'PENDING', 'ACTIVATING'])

export function tasksOf(state: EcsState, service: ServiceRecord): TaskRecord[] {
  return [...state.tasks.values()].filter((task) => task.service === service)
}
