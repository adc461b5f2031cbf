import type {
  CreateServiceRequest,
  DeleteServiceRequest,
  DescribeServicesRequest,
  ListServicesRequest,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs'
import { AwsError, type Action } from '../../fake-service.ts'
import { activeService, clusterOf, ecsArn, findService, usableDefinition } from '../arns.ts'
import { createLagged, pageOf } from '../listings.ts'
import { assertOnly, invalid } from '../refusals.ts'
import { runBeside, type EcsState, type ServiceRecord } from '../state.ts'
import { checkedTags } from '../tags.ts'
import { checkDeployment, checkNewService, checkNumbers } from './check-service.ts'
import { describeService } from './describe-service.ts'
import { liveService } from './live-service.ts'

/** D: quotas of the API. */
const mostDescribed = 10

export function createServiceActions(state: EcsState): Record<string, Action> {
  return {
    async CreateService(request: CreateServiceRequest) {
      const service = createService(state, request)
      return await Promise.resolve({ service: describeService(state, service, { withTags: true }) })
    },

    async UpdateService(request: UpdateServiceRequest) {
      const service = updateService(state, request)
      return await Promise.resolve({ service: describeService(state, service, { withTags: false }) })
    },

    async DescribeServices({
      cluster: given,
      services = [],
      include = [],
      ...others
    }: DescribeServicesRequest) {
      assertOnly(others, [], 'DescribeServices')
      const cluster = clusterOf(state, given)
      if (services.length < 1 || services.length > mostDescribed) {
        throw invalid('1 to 10 services can be described at once.')
      }
      const withTags = include.includes('TAGS')
      const found = services.map((name) => ({ name, service: findService(state, cluster, name) }))
      return await Promise.resolve({
        services: found.flatMap(({ service }) =>
          service ? [describeService(state, service, { withTags })] : [],
        ),
        failures: found.flatMap(({ name, service }) =>
          service
            ? []
            : [{ arn: ecsArn(state, `service/${cluster}/${name.split('/').at(-1)}`), reason: 'MISSING' }],
        ),
      })
    },

    async ListServices({ cluster: given, ...request }: ListServicesRequest) {
      assertOnly(request, ['nextToken', 'maxResults'], 'ListServices')
      const cluster = clusterOf(state, given)
      // D: a service that drains is not listed any more.
      const arns = [...state.services.values()]
        .filter((service) => service.cluster === cluster && service.isListed.seen())
        .map(({ arn }) => arn)
      const page = pageOf(arns, request, { most: 100, usual: 10, cut: state.pageSize })
      return await Promise.resolve({ serviceArns: page.names, nextToken: page.nextToken })
    },

    async DeleteService({ cluster: given, service: name, force = false, ...others }: DeleteServiceRequest) {
      assertOnly(others, [], 'DeleteService')
      const service = findService(state, clusterOf(state, given), name!)
      if (!service || service.status === 'INACTIVE') {
        throw new AwsError('ServiceNotFoundException', 'Service not found.')
      }
      if (service.desiredCount > 0 && !force) {
        throw invalid('The service cannot be stopped while it is scaled above 0.')
      }
      if (service.status === 'ACTIVE') {
        service.status = 'DRAINING'
        service.desiredCount = 0
        service.isListed.set(false)
        state.bell.ring()
      }
      return await Promise.resolve({ service: describeService(state, service, { withTags: false }) })
    },
  }
}

function createService(state: EcsState, request: CreateServiceRequest): ServiceRecord {
  const cluster = clusterOf(state, request.cluster)
  const before = findService(state, cluster, request.serviceName!)
  if (before?.status === 'DRAINING') {
    // D: the name is free when the service is INACTIVE.
    throw invalid('Unable to Start a service that is still Draining.')
  }
  if (before?.status === 'ACTIVE') {
    const token = request.clientToken
    // D: the same token means the same call.
    if (token !== undefined && token === before.request.clientToken) return before
    throw invalid('Creation of service was not idempotent.')
  }
  const definition = usableDefinition(state, request.taskDefinition)
  checkNewService(state, request, definition)
  const service = recordService(state, cluster, { request, definition })
  runBeside(state, () => liveService(state, service))
  return service
}

function recordService(
  state: EcsState,
  cluster: string,
  { request, definition }: Pick<ServiceRecord, 'request' | 'definition'>,
): ServiceRecord {
  const service: ServiceRecord = {
    name: request.serviceName!,
    arn: ecsArn(state, `service/${cluster}/${request.serviceName}`),
    cluster,
    request: structuredClone(request),
    definition,
    status: 'ACTIVE',
    desiredCount: request.desiredCount!,
    tags: checkedTags(request.tags),
    events: [],
    createdAtMs: state.account.clock.now(),
    deployment: newDeployment(state, request),
    isSteady: false,
    isListed: createLagged(state.account.clock),
    failuresInRow: 0,
    notBeforeMs: 0,
  }
  service.isListed.set(true)
  state.services.set(service.arn, service)
  return service
}

function newDeployment(
  { account }: EcsState,
  request: Pick<CreateServiceRequest, 'networkConfiguration' | 'capacityProviderStrategy'>,
): ServiceRecord['deployment'] {
  const now = new Date(account.clock.now())
  const id = `ecs-svc/${String(Math.floor(Math.random() * 1e16)).padStart(19, '1')}`
  return {
    id,
    status: 'PRIMARY',
    createdAt: now,
    updatedAt: now,
    failedTasks: 0,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    networkConfiguration: request.networkConfiguration,
    capacityProviderStrategy: request.capacityProviderStrategy,
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
  }
}

/** Of new deployments that one alone is modelled in which the old tasks leave before the new ones come (0/100). */
function updateService(state: EcsState, request: UpdateServiceRequest): ServiceRecord {
  const known = [
    'cluster',
    'service',
    'desiredCount',
    'taskDefinition',
    'healthCheckGracePeriodSeconds',
    'deploymentConfiguration',
  ]
  assertOnly(request, known, 'UpdateService')
  const service = activeService(state, clusterOf(state, request.cluster), request.service!)
  checkNumbers(request)
  const { deploymentConfiguration, desiredCount, healthCheckGracePeriodSeconds } = request
  if (deploymentConfiguration) {
    const merged = { ...service.request.deploymentConfiguration, ...deploymentConfiguration }
    checkDeployment(merged)
    service.request.deploymentConfiguration = merged
  }
  if (healthCheckGracePeriodSeconds !== undefined) {
    service.request.healthCheckGracePeriodSeconds = healthCheckGracePeriodSeconds
  }
  service.desiredCount = desiredCount ?? service.desiredCount
  if (request.taskDefinition !== undefined) deployAnew(state, service, request.taskDefinition)
  state.bell.ring()
  return service
}

/** D: the same definition again is no new deployment. */
function deployAnew(state: EcsState, service: ServiceRecord, taskDefinition: string): void {
  const definition = usableDefinition(state, taskDefinition)
  if (definition === service.definition) return
  const { minimumHealthyPercent = 100, maximumPercent = 200 } = service.request.deploymentConfiguration ?? {}
  if (minimumHealthyPercent !== 0 || maximumPercent !== 100)
    throw new AwsError('UnsupportedFeatureException', 'the fake account has new deployments of 0/100 alone')
  service.definition = definition
  service.deployment = newDeployment(state, service.request)
  service.isSteady = false
}
