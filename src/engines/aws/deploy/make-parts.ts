import type { Control } from '../../../domain/control.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { until } from '../../../lib/poll.ts'
import { mountedVolumes } from '../../../domain/volume.ts'
import type { CopyOrder } from '../../../rollout/runtime.ts'
import { secretPartName, secretTexts } from '../definition/environment-secret.ts'
import { serviceInput } from '../definition/service-input.ts'
import { taskDefinition } from '../definition/task-definition.ts'
import { taskFiles } from '../definition/task-files.ts'
import { servesWeb, waysOf, type Way } from '../../../domain/ways.ts'
import { imageOf } from '../images/derive.ts'
import {
  awsTags,
  ecsTags,
  memberName,
  ownerTag,
  secretName,
  type GenerationName,
  type TagName,
} from '../names.ts'
import { conditionsOf } from '../routes/conditions.ts'
import { listenerProtocol, makeWaitingListener } from '../routes/listeners.ts'
import { makeWaitingRules } from '../routes/rules.ts'
import { makeTargetGroup, setAttributes } from '../routes/target-groups.ts'
import { visitorNames } from '../routes/visitor-names.ts'
import type { AwsParts } from '../parts.ts'
import type { Generation, OwnRollout } from './own.ts'
import { volumeTags } from '../volumes/volume-tags.ts'
import { untilKnown } from '../until-known.ts'

/** What everything of a generation bears. */
export function tagsOf(
  { parts, operation }: Pick<OwnRollout, 'parts' | 'operation'>,
  { plan, process: processPlan, identity }: Pick<CopyOrder, 'plan' | 'process' | 'identity'>,
  more: Partial<Record<TagName, string>>,
): Partial<Record<TagName, string>> {
  const { type, cpuUnits, memoryBytes, drainTimeoutMs } = processPlan
  return {
    rack: parts.rack,
    owner: ownerTag(plan.owner),
    type,
    release: plan.release,
    identity,
    operation,
    cpu: String(cpuUnits),
    memory: String(memoryBytes),
    drain: String(drainTimeoutMs),
    created: new Date().toISOString(),
    ...volumeTags(type, mountedVolumes(processPlan)),
    ...more,
  }
}

/** One secret a generation, its variables and secret files inside; gives by key what ECS reads it from. */
async function makeSecrets(
  parts: AwsParts,
  { generation, values }: { generation: GenerationName; values: Record<string, string> },
  { signal }: Pick<Control, 'signal'>,
): Promise<Map<string, string>> {
  const arns = new Map<string, string>()
  for (const [index, { names, text }] of secretTexts(values).entries()) {
    const arn = await makeSecret(parts, { generation, index, text }, { signal })
    for (const name of names) arns.set(name, arn)
  }
  return arns
}

/** AWS takes a secret away behind the answer, and gives its name to no other one until then (D: DeleteSecret). */
const removalDeadlineMs = 60_000

async function makeSecret(
  { clients, rack, places, intervals }: AwsParts,
  { generation, index, text }: { generation: GenerationName; index: number; text: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const abort = { abortSignal: signal }
  const Name = secretPartName(secretName(rack, generation), index)
  const input = {
    Name,
    SecretString: text,
    // A token has 32 characters and more (S).
    ClientRequestToken: `${generation.id}${generation.id}${generation.id}-${index}`,
    ...(places.key && { KmsKeyId: places.key }),
    Tags: awsTags({ rack, owner: ownerTag(generation.owner), type: generation.type }),
  }
  const create = async () => {
    try {
      const { ARN } = await clients.secrets.createSecret(input, abort)
      return ARN
    } catch (error) {
      if (isAwsError(error, 'InvalidRequestException')) return null
      // Of a job of the same identity and release, which a daemon before has begun to make.
      if (!isAwsError(error, 'ResourceExistsException')) throw error
      const { ARN } = await clients.secrets.describeSecret({ SecretId: Name }, abort)
      return ARN
    }
  }
  const what = `the secret ${Name} of before to be gone`
  const waiting = { intervalMs: intervals.tasks, deadlineMs: removalDeadlineMs, what, signal }
  return await until(create, waiting)
}

export interface DefinitionOrder {
  generation: GenerationName
  order: Pick<CopyOrder, 'plan' | 'process'>
  command?: string[]
}

/** Secret and task definition; gives the ARN of the latter. */
export async function makeDefinition(
  own: Pick<OwnRollout, 'parts' | 'app' | 'accessPoints'>,
  { generation, order, command }: DefinitionOrder,
  control: Pick<Control, 'signal'>,
): Promise<string> {
  const { parts, app, accessPoints } = own
  const { rack, places, clients } = parts
  const files = taskFiles(order.process)
  const image = await imageOf(parts, { owner: generation.owner, plan: order.process, files }, control)
  const plan = { ...order.process, image }
  const values = { ...plan.environment, ...files.contents }
  const secrets = await makeSecrets(parts, { generation, values }, control)
  const input = taskDefinition({
    rack,
    places,
    app,
    generation,
    release: order.plan.release,
    plan,
    files,
    secrets,
    accessPoints,
    ...(command && { command }),
    tags: ecsTags({ rack, owner: ownerTag(generation.owner), type: generation.type }),
  })
  const register = async () =>
    await clients.ecs.registerTaskDefinition(input, { abortSignal: control.signal })
  const made = await parts.registering.run(register, control.signal)
  return made.taskDefinition!.taskDefinitionArn!
}

/** All of a generation but its service, in the order in which one stands on the other. */
export async function makeParts(
  own: OwnRollout,
  generation: Generation,
  order: CopyOrder,
  control: Pick<Control, 'signal'>,
): Promise<string> {
  const { parts } = own
  const plan = order.process
  const definition = await makeDefinition(own, { generation, order }, control)
  generation.registry = await makeRegistry(parts, generation, control)
  for (const way of waysOf(plan)) {
    const group = await makeTargetGroup(parts, { generation, plan, way }, control)
    // From here on it is known, whatever comes next.
    generation.groups.push(group)
    await setAttributes(parts, { group, plan, way }, control)
    await leadWaiting(own, { generation, group, order, way }, control)
  }
  return definition
}

/** Has a balancer look at what stands behind a way in, to which nobody comes yet. */
export async function leadWaiting(
  { parts, balancer }: Pick<OwnRollout, 'parts' | 'balancer'>,
  {
    generation,
    group,
    order,
    way,
  }: {
    generation: Generation
    /** ARN. */
    group: string
    order: Pick<CopyOrder, 'plan' | 'process'>
    way: Way
  },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if (way.kind !== 'web')
    return await makeWaitingListener(parts, { group, protocol: listenerProtocol(way) }, control)
  const { plan, process } = order
  const hosts = visitorNames(plan, process, parts.domains.current())
  const wanted = conditionsOf({ ...process, hosts })
  await makeWaitingRules(parts, { balancer, generation, group, wanted }, control)
}

/** The members of the generation, by name: ECS lists and unlists its tasks there. */
async function makeRegistry(
  { clients, rack, places }: AwsParts,
  generation: GenerationName,
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const { Service } = await clients.discovery.createService(
    {
      Name: memberName(generation),
      NamespaceId: places.namespace,
      CreatorRequestId: generation.id,
      DnsConfig: { DnsRecords: [{ Type: 'A', TTL: 5 }], RoutingPolicy: 'MULTIVALUE' },
      HealthCheckCustomConfig: { FailureThreshold: 1 },
      Tags: awsTags({ rack, owner: ownerTag(generation.owner), type: generation.type }),
    },
    { abortSignal: signal },
  )
  return Service!.Arn!
}

/** The last of its parts: from now on ECS keeps so many copies. */
export async function makeService(
  own: OwnRollout,
  generation: Generation,
  { order, definition, count }: { order: CopyOrder; definition: string; count: number },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const { parts, app } = own
  const ports = waysOf(order.process).map(({ port }) => port.container)
  const created = new Date(generation.createdMs).toISOString()
  const balancer = servesWeb(order.process) ? { balancer: String(own.balancer.number) } : {}
  const input = serviceInput({
    places: parts.places,
    app,
    generation,
    plan: order.process,
    taskDefinition: definition,
    groups: generation.groups.map((arn, index) => ({ arn, port: ports[index]! })),
    registry: generation.registry,
    count,
    tags: ecsTags(tagsOf(own, order, { kind: 'process', state: 'proving', created, ...balancer })),
  })
  // Before it is asked for: one that was made and not answered for is looked for too.
  parts.madeServices.add(generation.name)
  const create = async () => await parts.clients.ecs.createService(input, { abortSignal: signal })
  const { service } = await untilKnown(parts, create, signal)
  generation.arn = service!.serviceArn!
  generation.isMade = true
  generation.desired = count
}
