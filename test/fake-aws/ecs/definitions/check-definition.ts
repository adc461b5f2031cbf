import type { ContainerDefinition, RegisterTaskDefinitionRequest, Volume } from '@aws-sdk/client-ecs'
import { assertOnly, clientError } from '../refusals.ts'
import { checkContainer } from './check-container.ts'
import { assertFargateSize } from './fargate-sizes.ts'

const knownMembers = [
  'family',
  'taskRoleArn',
  'executionRoleArn',
  'networkMode',
  'containerDefinitions',
  'volumes',
  'requiresCompatibilities',
  'cpu',
  'memory',
  'tags',
  'runtimePlatform',
  'ephemeralStorage',
]

/** D: service quotas of ECS. */
const mostContainers = 10
const mostBytes = 64 * 1024

/** @throws AwsError ClientException by what is documented for Fargate tasks (D), and by our own assertions */
export function checkDefinition(request: RegisterTaskDefinitionRequest): void {
  assertOnly(request, knownMembers, 'RegisterTaskDefinition')
  if (!/^[\w-]{1,255}$/.test(request.family ?? '')) {
    throw clientError('Invalid family: up to 255 letters, numbers, hyphens, and underscores.')
  }
  if (!request.requiresCompatibilities?.includes('FARGATE')) {
    throw clientError('The fake account runs Fargate tasks only: requiresCompatibilities must hold FARGATE.')
  }
  if (request.networkMode !== 'awsvpc') {
    throw clientError('Fargate only supports network mode ‘awsvpc’.')
  }
  assertFargateSize(request.cpu, request.memory)
  if (JSON.stringify(request).length > mostBytes)
    throw clientError('Size of task definition must be at most 64 KB')
  const containers = request.containerDefinitions ?? []
  if (containers.length === 0) throw clientError('Container list cannot be empty.')
  if (containers.length > mostContainers) throw clientError(`At most ${mostContainers} containers in a task.`)
  for (const container of containers) checkContainer(container)
  checkTogether(request, containers)
  checkVolumes(request.volumes ?? [])
  checkMounts(containers, request.volumes ?? [])
  checkOrder(containers)
}

function checkTogether(request: RegisterTaskDefinitionRequest, containers: ContainerDefinition[]): void {
  if (new Set(containers.map(({ name }) => name)).size < containers.length) {
    throw clientError('Container names in a task definition must be unique.')
  }
  if (!containers.some(({ essential }) => essential !== false)) {
    throw clientError('Invalid setting for essential: at least one container must be essential.')
  }
  const sum = (member: 'cpu' | 'memory') =>
    containers.reduce((total, container) => total + (container[member] ?? 0), 0)
  if (sum('cpu') > Number(request.cpu)) {
    throw clientError('Invalid setting for container cpu: the sum is greater than the cpu of the task.')
  }
  // D: each by itself no more than the task has; what they have in reserve, together.
  for (const { memory = 0, memoryReservation = memory, name } of containers) {
    if (memory > Number(request.memory) || memoryReservation > memory) {
      throw clientError(`Invalid setting for container ${name}: memory is greater than that of the task.`)
    }
  }
  // D: the execution role reads secrets, pulls from ECR and writes logs.
  if (!request.executionRoleArn) {
    throw clientError(
      'Fargate requires task definition to have execution role ARN to support log driver awslogs.',
    )
  }
}

function checkVolumes(volumes: Volume[]): void {
  if (new Set(volumes.map(({ name }) => name)).size < volumes.length) {
    throw clientError('Volume names in a task definition must be unique.')
  }
  for (const volume of volumes) {
    assertOnly(volume, ['name', 'host', 'efsVolumeConfiguration'], 'Volume')
    if (!/^[\w-]{1,255}$/.test(volume.name ?? '')) throw clientError('Invalid volume name.')
    if (volume.host?.sourcePath) {
      throw clientError('host.sourcePath should not be set for volumes in Fargate.')
    }
    const shared = volume.efsVolumeConfiguration
    if (!shared) continue
    const known = ['fileSystemId', 'rootDirectory', 'transitEncryption', 'authorizationConfig']
    assertOnly(shared, known, 'EFSVolumeConfiguration')
    const { accessPointId, iam } = shared.authorizationConfig ?? {}
    if (accessPointId === undefined)
      throw clientError('our own assertion: each EFS volume is an access point')
    // D: API reference of EFSVolumeConfiguration.
    if (shared.rootDirectory !== undefined && shared.rootDirectory !== '/') {
      throw clientError('rootDirectory must be / or absent where an access point is given.')
    }
    if (shared.transitEncryption !== 'ENABLED' && (accessPointId || iam === 'ENABLED')) {
      throw clientError('Transit encryption must be enabled if an access point or IAM is used.')
    }
  }
}

function checkMounts(containers: ContainerDefinition[], volumes: Volume[]): void {
  for (const { mountPoints = [], name } of containers) {
    for (const { sourceVolume, containerPath } of mountPoints) {
      if (!volumes.some((volume) => volume.name === sourceVolume)) {
        throw clientError(`Unknown volume '${sourceVolume}'.`)
      }
      if (!containerPath?.startsWith('/')) throw clientError(`A mount point of ${name} has no path.`)
    }
  }
}

function checkOrder(containers: ContainerDefinition[]): void {
  const byName = new Map(containers.map((container) => [container.name, container]))
  for (const { dependsOn = [], name } of containers) {
    for (const { containerName, condition } of dependsOn) {
      const other = byName.get(containerName)
      if (!other || containerName === name) {
        throw clientError(`Invalid 'dependsOn' setting: no container ${containerName} for ${name}.`)
      }
      if (condition === 'HEALTHY' && !other.healthCheck) {
        throw clientError(`${containerName} has no health check, and ${name} waits for it to be HEALTHY.`)
      }
      // D: such a condition can't be set on an essential container.
      if ((condition === 'COMPLETE' || condition === 'SUCCESS') && other.essential !== false) {
        throw clientError(
          `The condition ${condition} can not be set on the essential container ${containerName}.`,
        )
      }
    }
  }
  for (const container of containers) assertNoCycle(container, byName, [])
}

function assertNoCycle(
  container: ContainerDefinition,
  byName: Map<string | undefined, ContainerDefinition>,
  path: (string | undefined)[],
): void {
  if (path.includes(container.name)) throw clientError('Container dependencies have a cycle.')
  for (const { containerName } of container.dependsOn ?? []) {
    assertNoCycle(byName.get(containerName)!, byName, [...path, container.name])
  }
}
