import type { Container, Task } from '@aws-sdk/client-ecs'
import type { ContainerRecord, EcsState, TaskRecord } from '../state.ts'
import { ecsArn } from '../arns.ts'
import { healthOf } from './task-record.ts'

/** As DescribeTasks tells of it (D). */
export function describeTask(state: EcsState, task: TaskRecord, { withTags }: { withTags: boolean }): Task {
  const { definition } = task.definition
  return {
    taskArn: task.arn,
    clusterArn: ecsArn(state, `cluster/${task.cluster}`),
    taskDefinitionArn: definition.taskDefinitionArn,
    availabilityZone: `${state.account.region}a`,
    capacityProviderName: task.capacityProvider?.capacityProvider,
    launchType: 'FARGATE',
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    connectivity: task.address === null ? undefined : 'CONNECTED',
    cpu: definition.cpu,
    memory: definition.memory,
    group: task.group,
    startedBy: task.startedBy,
    overrides: task.overrides,
    enableExecuteCommand: task.isExecuteEnabled,
    desiredStatus: task.desiredStatus,
    lastStatus: task.lastStatus,
    healthStatus: healthOf(task),
    version: task.version,
    ...task.times,
    stopCode: task.end?.code,
    stoppedReason: task.end?.reason,
    attachments: [task.attachment],
    containers: task.containers.map((container) => describeContainer(task, container)),
    tags: withTags ? task.tags : [],
  }
}

function describeContainer(task: TaskRecord, container: ContainerRecord): Container {
  const { definition } = container
  return {
    containerArn: container.arn,
    taskArn: task.arn,
    name: definition.name,
    image: definition.image,
    imageDigest: container.imageDigest,
    runtimeId: container.dockerId === null ? undefined : `${task.id}-${container.dockerId.slice(0, 10)}`,
    lastStatus: container.lastStatus,
    exitCode: container.exitCode,
    reason: container.reason,
    networkBindings: [],
    networkInterfaces:
      task.address === null ? [] : [{ attachmentId: task.attachment.id, privateIpv4Address: task.address }],
    healthStatus: container.health,
    cpu: String(definition.cpu ?? 0),
    memory: definition.memory === undefined ? undefined : String(definition.memory),
    managedAgents: task.isExecuteEnabled
      ? [{ name: 'ExecuteCommandAgent', lastStatus: container.isAgentRunning ? 'RUNNING' : 'PENDING' }]
      : undefined,
  }
}
