import type { CreateServiceRequest, DeploymentConfiguration, UpdateServiceRequest } from '@aws-sdk/client-ecs'
import { checkPlace } from '../network-configuration.ts'
import { assertOnly, invalid } from '../refusals.ts'
import type { DefinitionRecord, EcsState } from '../state.ts'

const knownMembers = [
  'cluster',
  'serviceName',
  'taskDefinition',
  'availabilityZoneRebalancing',
  'loadBalancers',
  'serviceRegistries',
  'desiredCount',
  'clientToken',
  'launchType',
  'capacityProviderStrategy',
  'platformVersion',
  'deploymentConfiguration',
  'networkConfiguration',
  'healthCheckGracePeriodSeconds',
  'schedulingStrategy',
  'deploymentController',
  'tags',
  'propagateTags',
  'enableExecuteCommand',
]

/** D: quotas of ECS. */
const mostTargetGroups = 5
const mostRegistries = 1
const mostCopies = 5000
const longestGraceSeconds = 2_147_483_647
const longestToken = 36

/** @throws AwsError InvalidParameterException by what is documented (D), or what a linked service says */
export function checkNewService(
  state: EcsState,
  request: CreateServiceRequest,
  definition: DefinitionRecord,
): void {
  assertOnly(request, knownMembers, 'CreateService')
  if (!/^[\w-]{1,255}$/.test(request.serviceName ?? '')) {
    throw invalid('Service names can be up to 255 letters, numbers, hyphens, and underscores.')
  }
  if ((request.clientToken ?? '').length > longestToken)
    throw invalid(`clientToken is longer than ${longestToken}.`)
  if ((request.schedulingStrategy ?? 'REPLICA') !== 'REPLICA') {
    throw invalid('Fargate does not support the scheduling strategy DAEMON.')
  }
  if ((request.deploymentController?.type ?? 'ECS') !== 'ECS') {
    throw invalid('The fake account has the deployment controller ECS only.')
  }
  if (request.desiredCount === undefined)
    throw invalid('desiredCount must be specified for the REPLICA strategy.')
  checkPlace(request)
  checkNumbers(request)
  checkDeployment(request.deploymentConfiguration ?? {})
  if (
    request.availabilityZoneRebalancing === 'ENABLED' &&
    (request.deploymentConfiguration?.maximumPercent ?? 200) <= 100
  ) {
    throw invalid('AvailabilityZoneRebalancing does not support maximumPercent <= 100.')
  }
  checkBalancers(state, request, definition)
  checkRegistries(state, request)
}

function checkBalancers(
  { targetGroups }: EcsState,
  { loadBalancers = [] }: CreateServiceRequest,
  { definition }: DefinitionRecord,
): void {
  if (loadBalancers.length > mostTargetGroups) {
    throw invalid(`Number of target groups in a service must be at most ${mostTargetGroups}.`)
  }
  for (const balancer of loadBalancers) {
    assertOnly(balancer, ['targetGroupArn', 'containerName', 'containerPort'], 'LoadBalancer')
    const { targetGroupArn, containerName, containerPort } = balancer
    if (!targetGroupArn) throw invalid('targetGroupArn can not be blank.')
    const container = definition.containerDefinitions.find(({ name }) => name === containerName)
    if (!container) throw invalid(`The container ${containerName} does not exist in the task definition.`)
    const mapped = container.portMappings?.find((mapping) => mapping.containerPort === containerPort)
    if (!mapped) {
      throw invalid(`The container ${containerName} did not have a container port ${containerPort} defined.`)
    }
    targetGroups.assertUsable(targetGroupArn, mapped.protocol ?? 'tcp')
  }
}

function checkRegistries({ names }: EcsState, { serviceRegistries = [] }: CreateServiceRequest): void {
  if (serviceRegistries.length > mostRegistries) {
    throw invalid('Each service may be associated with one service registry.')
  }
  for (const registry of serviceRegistries) {
    // A records of `awsvpc` tasks need no more (D).
    assertOnly(registry, ['registryArn'], 'ServiceRegistry')
    names.assertThere(registry.registryArn!)
  }
}

/** What CreateService and UpdateService share. */
export function checkNumbers({
  desiredCount = 0,
  healthCheckGracePeriodSeconds = 0,
}: Pick<UpdateServiceRequest, 'desiredCount' | 'healthCheckGracePeriodSeconds'>): void {
  if (desiredCount < 0 || desiredCount > mostCopies)
    throw invalid(`desiredCount must be between 0 and ${mostCopies}.`)
  if (healthCheckGracePeriodSeconds < 0 || healthCheckGracePeriodSeconds > longestGraceSeconds) {
    throw invalid('Invalid healthCheckGracePeriodSeconds.')
  }
}

export function checkDeployment(configuration: DeploymentConfiguration): void {
  const known = ['deploymentCircuitBreaker', 'maximumPercent', 'minimumHealthyPercent', 'strategy']
  assertOnly(configuration, known, 'DeploymentConfiguration')
  const { minimumHealthyPercent = 100, maximumPercent = 200, strategy = 'ROLLING' } = configuration
  if (strategy !== 'ROLLING') throw invalid('The fake account has the strategy ROLLING only.')
  if (
    minimumHealthyPercent < 0 ||
    minimumHealthyPercent > 100 ||
    maximumPercent < 100 ||
    maximumPercent > 200
  ) {
    throw invalid('Invalid deployment configuration percentages.')
  }
  // D: otherwise no task could ever be replaced.
  if (minimumHealthyPercent === maximumPercent) {
    throw invalid(
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    )
  }
  const breaker = configuration.deploymentCircuitBreaker
  if (!breaker) return
  assertOnly(breaker, ['enable', 'rollback', 'thresholdConfiguration'], 'DeploymentCircuitBreaker')
  if (breaker.rollback) throw invalid('The fake account has no rollback of a deployment.')
  const { type = 'COUNT', value = 3 } = breaker.thresholdConfiguration ?? {}
  if (type !== 'COUNT' || !Number.isInteger(value) || value < 1) {
    throw invalid('The fake account has circuit breakers by COUNT only.')
  }
}
