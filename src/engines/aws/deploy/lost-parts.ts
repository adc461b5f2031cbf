import type { TaskDefinition } from '@aws-sdk/client-ecs'
import type { TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Control } from '../../../domain/control.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { pages, type FoundGeneration } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { generationOf } from './found-generation.ts'
import type { Lost } from './lost.ts'
import type { Generation, OwnRollout } from './own.ts'

const atOnce = 4

/** What somebody has taken away of what these stand on, as far as they serve. */
export async function findLost(
  own: Pick<OwnRollout, 'parts' | 'volumesMadeMs'>,
  found: readonly FoundGeneration[],
  control: Pick<Control, 'signal'>,
): Promise<Lost> {
  const { parts } = own
  const proved = found
    .map((each) => ({ ...generationOf(each), running: each.service.runningCount ?? 0 }))
    .filter(({ state }) => state === 'proved')
  const arns = proved.flatMap(({ groups }) => groups)
  const { lost: lostGroups, unled } = await lookAtGroups(parts, arns, control)
  const look = async (generation: (typeof proved)[number]) => {
    const groups = new Set(generation.groups.filter((arn) => lostGroups.has(arn)))
    const lost = [
      ...(groups.size > 0 ? ['its target group'] : []),
      ...(hasItsVolumes(own, generation) ? [] : ['an access point of its volumes']),
      ...((await hasItsSecrets(parts, generation, control)) ? [] : ['its secret']),
      ...((await hasItsEntries(parts, generation, control)) ? [] : ['its entries in Cloud Map']),
    ]
    return lost.length === 0 ? [] : [[generation.name, { groups, what: lost.join(', ') }] as const]
  }
  return { parts: new Map((await mapBounded(proved, atOnce, look, control.signal)).flat()), unled }
}

/** A volume that went is another one now, which a definition from before does not mount. */
export function hasItsVolumes(
  { volumesMadeMs }: Pick<OwnRollout, 'volumesMadeMs'>,
  { volumes, createdMs }: Pick<Generation, 'volumes' | 'createdMs'>,
): boolean {
  return volumes.every((volume) => (volumesMadeMs.get(volume) ?? 0) <= createdMs)
}

/** S: "You cannot describe more than '20' target groups at a time". */
const groupsOfCall = 20

/** Which of these are not there, and to which nothing leads; in few calls where all are there. */
export async function lookAtGroups(
  { clients }: Pick<AwsParts, 'clients'>,
  arns: readonly string[],
  { signal }: Pick<Control, 'signal'>,
): Promise<{ lost: Set<string>; unled: Set<string> }> {
  /** Null where one of them is not there. */
  const describe = async (TargetGroupArns: string[]): Promise<TargetGroup[] | null> => {
    try {
      const answer = await clients.balancers.describeTargetGroups(
        { TargetGroupArns },
        { abortSignal: signal },
      )
      return answer.TargetGroups ?? []
    } catch (error) {
      if (isAwsError(error, 'TargetGroupNotFoundException')) return null
      throw error
    }
  }
  const one = async (arn: string) => (await describe([arn])) ?? []
  const found: TargetGroup[] = []
  for (let at = 0; at < arns.length; at += groupsOfCall) {
    const some = arns.slice(at, at + groupsOfCall)
    found.push(...((await describe(some)) ?? (await mapBounded(some, atOnce, one, signal)).flat()))
  }
  const unled = found.filter(({ LoadBalancerArns = [] }) => LoadBalancerArns.length === 0)
  const arnsOf = (groups: TargetGroup[]) =>
    new Set(groups.flatMap(({ TargetGroupArn }) => TargetGroupArn ?? []))
  return { lost: new Set(arns).difference(arnsOf(found)), unled: arnsOf(unled) }
}

async function hasItsSecrets(
  { clients }: AwsParts,
  { definition }: Generation,
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  const abort = { abortSignal: signal }
  const { taskDefinition } = await clients.ecs.describeTaskDefinition({ taskDefinition: definition }, abort)
  for (const SecretId of secretsOf(taskDefinition)) {
    try {
      const { DeletedDate } = await clients.secrets.describeSecret({ SecretId }, abort)
      if (DeletedDate) return false
    } catch (error) {
      if (isAwsError(error, 'ResourceNotFoundException')) return false
      throw error
    }
  }
  return true
}

/** A task is listed there before it runs (D); of one that was just made it may not be told yet. */
async function hasItsEntries(
  { clients, intervals }: AwsParts,
  { registry, running }: Pick<Generation, 'registry'> & { running: number },
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  if (registry === null) return true
  const ServiceId = registry.slice(registry.lastIndexOf('/') + 1)
  const list = async (NextToken?: string) => {
    const input = { ServiceId, ...(NextToken && { NextToken }) }
    const answer = await clients.discovery.listInstances(input, { abortSignal: signal })
    return { items: answer.Instances ?? [], nextToken: answer.NextToken }
  }
  const areListed = async () => (await Array.fromAsync(pages(list))).length >= running
  const what = 'entries in Cloud Map'
  try {
    await until(areListed, { intervalMs: intervals.names, deadlineMs: 15 * intervals.names, what, signal })
    return true
  } catch (error) {
    if (error instanceof DeadlineError || isAwsError(error, 'ServiceNotFound')) return false
    throw error
  }
}

/** ARNs of the secrets that its containers are given values of: `ARN:KEY::` each. Pure. */
function secretsOf({ containerDefinitions = [] }: TaskDefinition = {}): Set<string> {
  const values = containerDefinitions.flatMap(({ secrets = [] }) => secrets)
  return new Set(values.flatMap(({ valueFrom }) => valueFrom?.split(':').slice(0, 7).join(':') ?? []))
}
