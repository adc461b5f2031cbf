import type { CreateServiceCommandInput, NetworkConfiguration } from '@aws-sdk/client-ecs'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { generationName, type GenerationName } from '../names.ts'
import type { AwsPlaces } from '../../../domain/aws-places.ts'
import { mainContainer, type AppPlaces } from './task-definition.ts'

export interface ServiceInput {
  places: Pick<AwsPlaces, 'cluster' | 'subnets' | 'securityGroups' | 'assignsPublicIp'>
  app: AppPlaces
  generation: GenerationName
  plan: ProcessPlan
  taskDefinition: string
  /** ARNs of its target groups, with the port of the process behind each. */
  groups: { arn: string; port: number }[]
  registry: string | null
  count: number
  tags: { key: string; value: string }[]
}

/** Between the grace of the gate and a replacement that ECS makes by itself. */
const graceMarginSeconds = 60

/** The service of a generation (aws.md 1.3). Pure. */
export function serviceInput(input: ServiceInput): CreateServiceCommandInput {
  const { places, generation, plan, groups, registry } = input
  const graceMs = Math.max(plan.health.graceMs, plan.healthcheck?.startPeriodMs ?? 0)
  return {
    cluster: places.cluster,
    serviceName: generationName(generation),
    taskDefinition: input.taskDefinition,
    desiredCount: input.count,
    clientToken: generation.id,
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    networkConfiguration: networkOf(input),
    ...(groups.length > 0 && {
      loadBalancers: groups.map(({ arn, port }) => ({
        targetGroupArn: arn,
        containerName: mainContainer,
        containerPort: port,
      })),
      healthCheckGracePeriodSeconds: Math.ceil(graceMs / 1000) + graceMarginSeconds,
    }),
    ...(registry !== null && { serviceRegistries: [{ registryArn: registry }] }),
    ...replacementOf(plan),
    enableExecuteCommand: true,
    propagateTags: 'SERVICE',
    tags: input.tags,
  }
}

/** Where a task stands. */
export function networkOf({ places, app }: Pick<ServiceInput, 'places' | 'app'>): NetworkConfiguration {
  return {
    awsvpcConfiguration: {
      subnets: places.subnets,
      securityGroups: [app.securityGroup, places.securityGroups.processes],
      assignPublicIp: places.assignsPublicIp ? 'ENABLED' : 'DISABLED',
    },
  }
}

/** How ECS replaces a copy by itself; of those with a volume of their own no two run at once. */
function replacementOf({ stopFirst }: ProcessPlan): Partial<CreateServiceCommandInput> {
  const breaker = {
    enable: true,
    rollback: false,
    thresholdConfiguration: { type: 'COUNT' as const, value: 3 },
  }
  const percents = stopFirst
    ? { minimumHealthyPercent: 0, maximumPercent: 100 }
    : { minimumHealthyPercent: 100, maximumPercent: 200 }
  return {
    deploymentConfiguration: { strategy: 'ROLLING', ...percents, deploymentCircuitBreaker: breaker },
    availabilityZoneRebalancing: stopFirst ? 'DISABLED' : 'ENABLED',
  }
}
