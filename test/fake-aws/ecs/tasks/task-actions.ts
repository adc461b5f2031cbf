import type {
  DescribeTasksRequest,
  Failure,
  ListTasksRequest,
  StopTaskRequest,
  UpdateTaskProtectionRequest,
} from '@aws-sdk/client-ecs'
import { AwsError, type Action } from '../../fake-service.ts'
import type { Containers } from '../../links.ts'
import { clusterOf, findService, findTask, forgetOldTasks } from '../arns.ts'
import { pageOf } from '../listings.ts'
import { assertOnly, invalid } from '../refusals.ts'
import type { EcsState, TaskRecord } from '../state.ts'
import { describeTask } from './describe-task.ts'

/** D: quotas of the API. */
const mostDescribed = 100
const mostProtected = 10
const usualProtectionMinutes = 120
const longestProtectionMinutes = 2880

export function createTaskActions(state: EcsState): Record<string, Action> {
  return {
    async ListTasks(request: ListTasksRequest) {
      const names = listed(state, request)
      const page = pageOf(names, request, { most: 100, usual: 100, cut: state.pageSize })
      return await Promise.resolve({ taskArns: page.names, nextToken: page.nextToken })
    },

    async DescribeTasks({ cluster, tasks = [], include = [], ...others }: DescribeTasksRequest) {
      assertOnly(others, [], 'DescribeTasks')
      if (tasks.length < 1 || tasks.length > mostDescribed)
        throw invalid('1 to 100 tasks can be described at once.')
      const { found, failures } = findAll(state, clusterOf(state, cluster), tasks)
      const withTags = include.includes('TAGS')
      return await Promise.resolve({
        tasks: found.map((task) => describeTask(state, task, { withTags })),
        failures,
      })
    },

    async StopTask({ cluster, task: given, reason = 'Task stopped by user', ...others }: StopTaskRequest) {
      assertOnly(others, [], 'StopTask')
      if (reason.length > 255) throw invalid('The reason is longer than 255 characters.')
      const task = findTask(state, clusterOf(state, cluster), given!)
      if (!task) throw invalid('The referenced task was not found.')
      task.stop({ code: 'UserInitiated', reason })
      return await Promise.resolve({ task: describeTask(state, task, { withTags: false }) })
    },

    async UpdateTaskProtection(request: UpdateTaskProtectionRequest) {
      return await Promise.resolve(protect(state, request))
    },
  }
}

function listed(state: EcsState, request: ListTasksRequest): string[] {
  const { cluster: given, family, startedBy, serviceName, desiredStatus = 'RUNNING', ...others } = request
  assertOnly(others, ['nextToken', 'maxResults'], 'ListTasks')
  const cluster = clusterOf(state, given)
  // D: in these words of the API reference.
  if (startedBy !== undefined && (family !== undefined || serviceName !== undefined)) {
    throw invalid('When you specify startedBy as a filter, it must be the only filter that you use.')
  }
  const service = serviceName === undefined ? null : findService(state, cluster, serviceName)
  if (serviceName !== undefined && !service) {
    throw new AwsError('ServiceNotFoundException', 'Service not found.')
  }
  forgetOldTasks(state)
  return [...state.tasks.values()]
    .filter((task) => task.cluster === cluster && task.listedStatus.seen() === desiredStatus)
    .filter((task) => family === undefined || task.definition.definition.family === family)
    .filter((task) => startedBy === undefined || task.startedBy === startedBy)
    .filter((task) => service === null || task.service === service)
    .map(({ arn }) => arn)
}

function findAll(state: EcsState, cluster: string, given: string[]) {
  const found: TaskRecord[] = []
  const failures: Failure[] = []
  for (const arn of given) {
    const task = findTask(state, cluster, arn)
    if (task) found.push(task)
    else failures.push({ arn, reason: 'MISSING' })
  }
  return { found, failures }
}

/** D: of a service's tasks only; scaling in leaves those alone, health checks and StopTask do not. */
function protect(state: EcsState, request: UpdateTaskProtectionRequest): object {
  const { cluster, tasks, protectionEnabled, expiresInMinutes = usualProtectionMinutes, ...others } = request
  assertOnly(others, [], 'UpdateTaskProtection')
  if (tasks!.length > mostProtected) throw invalid('At most 10 tasks can be protected at once.')
  if (expiresInMinutes < 1 || expiresInMinutes > longestProtectionMinutes) {
    throw invalid(`expiresInMinutes must be between 1 and ${longestProtectionMinutes}.`)
  }
  const { found, failures } = findAll(state, clusterOf(state, cluster), tasks!)
  const untilMs = protectionEnabled ? state.account.clock.now() + expiresInMinutes * 60_000 : 0
  const protectedTasks = []
  for (const task of found) {
    if (!task.service || task.desiredStatus === 'STOPPED') {
      failures.push({ arn: task.arn, reason: 'TASK_NOT_VALID' })
      continue
    }
    task.protectedUntilMs = untilMs
    const expirationDate = protectionEnabled ? new Date(untilMs) : undefined
    protectedTasks.push({ taskArn: task.arn, protectionEnabled, expirationDate })
  }
  state.bell.ring()
  return { protectedTasks, failures }
}

/** In the words that ExecuteCommand has for each (D). */
export function findContainers(state: EcsState): Containers {
  return {
    find(taskArn, name) {
      const task = findTask(state, taskArn.split('/').at(-2) ?? '', taskArn)
      if (!task || task.lastStatus === 'STOPPED')
        throw invalid('The referenced task was not found or has stopped.')
      const container = task.containers.find(({ definition }) => definition.name === name)
      if (!container) throw invalid(`The container ${name} was not found.`)
      if (!container.isAgentRunning || container.dockerId === null) {
        throw invalid(
          'The execute command failed because execute command was not enabled when the task was run or the ' +
            'execute command agent isn’t running. Wait and try again or run a new task with execute command ' +
            'enabled and try again.',
        )
      }
      return container.dockerId
    },
  }
}
