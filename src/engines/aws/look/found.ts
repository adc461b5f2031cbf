import type { Service, Task } from '@aws-sdk/client-ecs'
import { isSameOwner, type Owner } from '../../../domain/owner.ts'
import type { ProcessKind } from '../../../domain/process.ts'
import { processIdOf, readGenerationName, readOwnerTag, readTags, taskIdOf, type TagName } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** A generation of a type, as its ECS service is found. */
export interface FoundGeneration {
  /** Of the service, and of the family of its task definition. */
  name: string
  owner: Owner
  type: string
  /** `G…` */
  id: string
  service: Service
  tags: Partial<Record<TagName, string>>
}

/** A task of the rack: a copy, a job or a one-off. */
export interface FoundTask {
  arn: string
  taskId: string
  process: string
  owner: Owner
  type: string
  kind: ProcessKind
  release: string
  /** Of its generation's service; null for what runs by itself. */
  service: string | null
  /** In the network of the rack; null before it has one. */
  address: string | null
  createdMs: number
  tags: Partial<Record<TagName, string>>
  task: Task
}

/** DescribeServices and DescribeTasks take so many. */
const servicesOfCall = 10
const tasksOfCall = 100

/** All services that are not gone, of one owner or of all. */
export async function findGenerations(
  parts: AwsParts,
  filter: { owner?: Owner },
  { signal }: { signal: AbortSignal },
): Promise<FoundGeneration[]> {
  const { ecs } = parts.clients
  const { cluster } = parts.places
  const names = new Set(parts.madeServices)
  for await (const arn of pages((nextToken) => listServices(parts, nextToken, signal))) {
    names.add(arn.slice(arn.lastIndexOf('/') + 1))
  }
  const wanted = [...names].filter((name) => {
    const read = readGenerationName(name)
    return read !== null && (!filter.owner || isSameOwner(read.owner, filter.owner))
  })
  const found: FoundGeneration[] = []
  for (let at = 0; at < wanted.length; at += servicesOfCall) {
    const some = wanted.slice(at, at + servicesOfCall)
    const input = { cluster, services: some, include: ['TAGS' as const] }
    const { services = [] } = await ecs.describeServices(input, { abortSignal: signal })
    found.push(...services.flatMap((service) => toGeneration(service) ?? []))
  }
  return found
}

async function listServices(
  { clients, places }: AwsParts,
  nextToken: string | undefined,
  signal: AbortSignal,
) {
  const input = { cluster: places.cluster, maxResults: 100, ...(nextToken && { nextToken }) }
  const answer = await clients.ecs.listServices(input, { abortSignal: signal })
  return { items: answer.serviceArns ?? [], nextToken: answer.nextToken }
}

/** Null for a service that is gone, or none of ours. */
export function toGeneration(service: Service): FoundGeneration | null {
  const name = service.serviceName ?? ''
  const read = readGenerationName(name)
  if (!read || service.status === 'INACTIVE') return null
  return { name, ...read, service, tags: readTags(service.tags) }
}

/** All tasks, of one owner or of all; `isStopped` gives those that have stopped in the last hour. */
export async function findTasks(
  parts: AwsParts,
  filter: { owner?: Owner; isStopped?: boolean },
  control: { signal: AbortSignal },
): Promise<FoundTask[]> {
  const { isStopped = false, owner } = filter
  const status = isStopped ? ('STOPPED' as const) : ('RUNNING' as const)
  const arns = new Set(isStopped ? [] : parts.madeTasks)
  const list = (nextToken?: string) => listTasks(parts, status, nextToken, control.signal)
  for await (const arn of pages(list)) arns.add(arn)
  const found = await describeTasks(parts, [...arns], control)
  return owner ? found.filter((task) => isSameOwner(task.owner, owner)) : found
}

async function listTasks(
  { clients, places }: AwsParts,
  desiredStatus: 'RUNNING' | 'STOPPED',
  nextToken: string | undefined,
  signal: AbortSignal,
) {
  const input = { cluster: places.cluster, desiredStatus, maxResults: 100, ...(nextToken && { nextToken }) }
  const answer = await clients.ecs.listTasks(input, { abortSignal: signal })
  return { items: answer.taskArns ?? [], nextToken: answer.nextToken }
}

/** Those of them that are known still. */
export async function describeTasks(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  arns: string[],
  { signal }: { signal: AbortSignal },
): Promise<FoundTask[]> {
  const found: FoundTask[] = []
  for (let at = 0; at < arns.length; at += tasksOfCall) {
    const input = {
      cluster: places.cluster,
      tasks: arns.slice(at, at + tasksOfCall),
      include: ['TAGS' as const],
    }
    const { tasks = [] } = await clients.ecs.describeTasks(input, { abortSignal: signal })
    found.push(...tasks.flatMap((task) => toFoundTask(task) ?? []))
  }
  return found
}

const servicePrefix = 'service:'

/** Null for a task that is not the rack's. */
function toFoundTask(task: Task): FoundTask | null {
  const tags = readTags(task.tags)
  const { owner, type, kind, release } = tags
  if (!task.taskArn || !owner || !type) return null
  const { group = '' } = task
  return {
    arn: task.taskArn,
    taskId: taskIdOf(task.taskArn),
    process: processIdOf(task.taskArn),
    owner: readOwnerTag(owner),
    type,
    kind: (kind ?? 'process') as ProcessKind,
    release: release ?? '',
    service: group.startsWith(servicePrefix) ? group.slice(servicePrefix.length) : null,
    address: addressOf(task),
    createdMs: task.createdAt?.getTime() ?? 0,
    tags,
    task,
  }
}

/** Of the interface of an `awsvpc` task. */
function addressOf({ attachments = [] }: Task): string | null {
  const details = attachments.flatMap((attachment) => attachment.details ?? [])
  return details.find(({ name }) => name === 'privateIPv4Address')?.value ?? null
}

/** All items of a listing that comes in pages. */
export async function* pages<T>(
  list: (nextToken?: string) => Promise<{ items: T[]; nextToken: string | undefined }>,
): AsyncGenerator<T> {
  let nextToken: string | undefined
  do {
    const page = await list(nextToken)
    yield* page.items
    nextToken = page.nextToken
  } while (nextToken)
}
