import type {
  ContainerDefinition,
  RegisterTaskDefinitionRequest,
  Service,
  Task,
  TaskDefinition,
} from '@aws-sdk/client-ecs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../../src/lib/poll.ts'
import { createFakeAccount } from '../account.ts'
import { AwsError, type Call } from '../fake-service.ts'
import type { Target } from '../links.ts'
import { createEcs, type Ecs } from './create-ecs.ts'
import { connectToDocker, createTaskNetwork } from './task-network.ts'

const call: Call = { service: 'ecs', action: '', accessKeyId: 'test', requestId: 'test' }
export const cluster = 'rack'
const deadlineMs = 30_000

export type EcsWorld = Awaited<ReturnType<typeof createEcsWorld>>

/** An ECS whose other services are as small as can be, and say what they were told. */
export async function createEcsWorld({ factor = 40 }: { factor?: number } = {}) {
  const account = await createFakeAccount({ factor })
  const network = await createTaskNetwork(account)
  const lines: { stream: string; text: string }[] = []
  const targets = new Map<string, 'healthy' | 'unhealthy'>()
  const left: { target: string; leave: () => void }[] = []
  const instances = new Map<string, string>()
  const images = new Map([['repository/app', 'busybox:1']])
  const world = { drainsByItself: true, sick: new Set<string>() }
  const keyOf = ({ address, port }: Target) => `${address}:${port}`

  const ecs: Ecs = createEcs({
    account,
    network,
    pageSize: 2,
    targetGroups: {
      assertUsable(arn) {
        if (arn !== 'group') throw new AwsError('InvalidParameterException', 'no such group')
      },
      register: (_arn, target) => void targets.set(keyOf(target), 'healthy'),
      async deregister(_arn, target) {
        const { promise, resolve } = Promise.withResolvers<void>()
        left.push({ target: keyOf(target), leave: resolve })
        if (!world.drainsByItself) await promise
        targets.delete(keyOf(target))
      },
      health: (_arn, target) => (world.sick.has(keyOf(target)) ? 'unhealthy' : 'healthy'),
    },
    names: {
      assertThere: () => undefined,
      register: (_arn, { id, address }) => void instances.set(id, address),
      deregister: (_arn, id) => void instances.delete(id),
    },
    secrets: {
      read(valueFrom) {
        if (valueFrom === 'arn:known') return 's3cret'
        throw new AwsError('ResourceNotFoundException', `unable to retrieve secret from asm: ${valueFrom}`)
      },
    },
    logs: {
      assertGroup: () => undefined,
      append: (_group, stream, added) => void lines.push(...added.map(({ text }) => ({ stream, text }))),
    },
    images: {
      async resolve(reference) {
        const id = images.get(reference)
        if (id === undefined) throw new AwsError('CannotPull', `pull image manifest: ${reference}: not found`)
        return await Promise.resolve(id)
      },
    },
    fileSystems: {
      path: (fileSystem, accessPoint) => join(account.directory, `${fileSystem}-${accessPoint}`),
    },
  })
  ecs.clusters.add(cluster)
  await mkdir(join(account.directory, 'fs-a'))

  const send = async <T = Record<string, never>>(action: string, input: object): Promise<T> =>
    (await ecs.actions[action]!(input, call)) as T

  return {
    world,
    sick: world.sick,
    account,
    ecs,
    lines,
    targets,
    left,
    instances,
    send,

    /** The ARN of a new task definition. */
    async define(
      family: string,
      containers: ContainerDefinition[],
      more: Partial<RegisterTaskDefinitionRequest> = {},
    ) {
      const input = { ...taskDefinition(family, containers), ...more }
      const made = await send<{ taskDefinition: TaskDefinition }>('RegisterTaskDefinition', input)
      return made.taskDefinition.taskDefinitionArn!
    },

    async describe(name: string): Promise<Service> {
      const found = await send<{ services: Service[] }>('DescribeServices', { cluster, services: [name] })
      return found.services[0]!
    },

    /** All tasks of a service, as the pages of the listing and the descriptions tell of them. */
    async tasksOf(serviceName: string, desiredStatus = 'RUNNING'): Promise<Task[]> {
      const arns: string[] = []
      let nextToken: string | undefined
      do {
        const page = await send<{ taskArns: string[]; nextToken?: string }>('ListTasks', {
          cluster,
          serviceName,
          desiredStatus,
          ...(nextToken !== undefined && { nextToken }),
        })
        arns.push(...page.taskArns)
        nextToken = page.nextToken
      } while (nextToken !== undefined)
      if (arns.length === 0) return []
      return (await send<{ tasks: Task[] }>('DescribeTasks', { cluster, tasks: arns })).tasks
    },

    async run(taskDefinition: string, more: object = {}): Promise<Task> {
      const { tasks } = await send<{ tasks: Task[] }>('RunTask', {
        ...place,
        cluster,
        taskDefinition,
        ...more,
      })
      return tasks[0]!
    },

    async untilTask(arn: string, hold: (task: Task) => boolean): Promise<Task> {
      let task: Task | undefined
      const look = async () => {
        const found = await send<{ tasks: Task[] }>('DescribeTasks', { cluster, tasks: [arn] })
        task = found.tasks[0]
        return task && hold(task) ? task : null
      }
      return await until(look, { deadlineMs, what: () => `a task; it is ${JSON.stringify(task)}` })
    },

    /** Runs something in a container, and does not wait for its end. */
    async inside(id: string, command: string[]) {
      const { signal } = new AbortController()
      const docker = connectToDocker()
      const create = { method: 'POST', path: `/containers/${id}/exec`, body: { Cmd: command } } as const
      const { Id } = await docker.json<{ Id: string }>(create, { signal })
      await docker.json({ method: 'POST', path: `/exec/${Id}/start`, body: { Detach: true } }, { signal })
    },

    async close() {
      await ecs.close()
      account.clock.close()
      await network.remove()
      await rm(account.directory, { recursive: true, force: true })
    },
  }
}

export const place = {
  capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
  networkConfiguration: {
    awsvpcConfiguration: { subnets: ['subnet-1', 'subnet-2'], securityGroups: ['sg-1'] },
  },
}

/** A container that writes, and then sleeps until it is told to end, unless a script is given. */
export function container(name: string, script: string, more: ContainerDefinition = {}): ContainerDefinition {
  return {
    name,
    image: 'repository/app',
    entryPoint: ['/bin/sh', '-c'],
    command: [script],
    stopTimeout: 2,
    logConfiguration: {
      logDriver: 'awslogs',
      options: { 'awslogs-group': '/rack', 'awslogs-region': 'eu-test-1', 'awslogs-stream-prefix': 'web.R1' },
    },
    ...more,
  }
}

/** Ends at once when it is told to. */
export const sleep = 'trap "echo told to end; exit 0" TERM; echo up; while :; do sleep 0.1; done'

export function taskDefinition(
  family: string,
  containers: ContainerDefinition[],
): RegisterTaskDefinitionRequest {
  return {
    family,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    executionRoleArn: 'arn:aws:iam::123456789012:role/rack/R/app/execution',
    containerDefinitions: containers,
  }
}
