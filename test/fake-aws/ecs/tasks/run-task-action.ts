import { isDeepStrictEqual } from 'node:util'
import type { RunTaskRequest, TaskOverride } from '@aws-sdk/client-ecs'
import { AwsError, type Action } from '../../fake-service.ts'
import { clusterOf, usableDefinition } from '../arns.ts'
import { checkPlace } from '../network-configuration.ts'
import { assertOnly, invalid } from '../refusals.ts'
import { runBeside, type DefinitionRecord, type EcsState, type TaskRecord } from '../state.ts'
import { checkedTags } from '../tags.ts'
import { describeTask } from './describe-task.ts'
import { liveTask } from './live-task.ts'
import { recordTask } from './task-record.ts'

const knownMembers = [
  'cluster',
  'taskDefinition',
  'count',
  'group',
  'startedBy',
  'overrides',
  'clientToken',
  'capacityProviderStrategy',
  'launchType',
  'networkConfiguration',
  'enableExecuteCommand',
  'propagateTags',
  'platformVersion',
  'tags',
]

/** D: API reference of RunTask. */
const mostTasks = 10
const longestOverrides = 8192
const longestToken = 64
const longestStartedBy = 128

interface Remembered {
  request: RunTaskRequest
  tasks: TaskRecord[]
}

export function createRunTask(state: EcsState): Action {
  const remembered = new Map<string, Remembered>()
  return async (request: RunTaskRequest) => {
    const cluster = clusterOf(state, request.cluster)
    const known = request.clientToken === undefined ? null : remembered.get(request.clientToken)
    // D: the same token again with the same request gives the same tasks, with another one a conflict.
    if (known && !isDeepStrictEqual(known.request, request)) {
      throw new AwsError(
        'ConflictException',
        'The RunTask request could not be processed due to conflicts.',
        400,
        {
          resourceIds: known.tasks.map(({ arn }) => arn),
        },
      )
    }
    const tasks = known?.tasks ?? startTasks(state, cluster, request)
    if (request.clientToken !== undefined) remembered.set(request.clientToken, { request, tasks })
    const described = tasks.map((task) => describeTask(state, task, { withTags: true }))
    return await Promise.resolve({ tasks: described, failures: [] })
  }
}

function startTasks(state: EcsState, cluster: string, request: RunTaskRequest): TaskRecord[] {
  assertOnly(request, knownMembers, 'RunTask')
  const definition = usableDefinition(state, request.taskDefinition)
  checkPlace(request)
  checkRun(request)
  checkOverrides(request.overrides ?? {}, definition)
  const { count = 1, propagateTags } = request
  const tags = checkedTags([
    ...(propagateTags === 'TASK_DEFINITION' ? definition.tags : []),
    ...(request.tags ?? []),
  ])
  return Array.from({ length: count }, () => {
    const task = recordTask(state, {
      cluster,
      definition,
      service: null,
      group: request.group ?? `family:${definition.definition.family}`,
      startedBy: request.startedBy,
      tags: structuredClone(tags),
      overrides: structuredClone(request.overrides ?? {}),
      capacityProvider: request.capacityProviderStrategy![0],
      securityGroups: request.networkConfiguration?.awsvpcConfiguration?.securityGroups ?? [],
      isExecuteEnabled: request.enableExecuteCommand ?? false,
    })
    runBeside(state, () => liveTask(state, task))
    return task
  })
}

function checkRun({
  count = 1,
  clientToken = '',
  startedBy = '',
  propagateTags,
  group = '',
  ...rest
}: RunTaskRequest) {
  if (count < 1 || count > mostTasks) throw invalid(`count must be between 1 and ${mostTasks}.`)
  if (clientToken.length > longestToken || !/^[!-~]*$/.test(clientToken))
    throw invalid('Invalid clientToken.')
  if (startedBy.length > longestStartedBy || !/^[\w/-]*$/.test(startedBy)) throw invalid('Invalid startedBy.')
  // D: the groups of services' tasks are ECS's own.
  if (group.startsWith('service:')) throw invalid('Invalid namespace for group.')
  if (propagateTags === 'SERVICE') throw invalid('RunTask propagates the tags of a task definition only.')
  // A Fargate task is known by what it may do: roles of an override are not modelled.
  if (rest.overrides) assertOnly(rest.overrides, ['containerOverrides'], 'TaskOverride')
}

function checkOverrides(overrides: TaskOverride, { definition }: DefinitionRecord): void {
  // D: at most 8,192 characters of JSON, all in all.
  if (JSON.stringify(overrides).length > longestOverrides) {
    throw invalid('Container Overrides length must be at most 8192')
  }
  for (const override of overrides.containerOverrides ?? []) {
    assertOnly(override, ['name', 'command', 'environment'], 'ContainerOverride')
    if (!definition.containerDefinitions.some(({ name }) => name === override.name)) {
      throw invalid(`Override for container named ${override.name} is not a container in the TaskDefinition.`)
    }
  }
}
