import type { TaskDefinition } from '@aws-sdk/client-ecs'
import type { Control } from '../../../domain/control.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import type { AwsParts } from '../parts.ts'
import type { Generation, LostParts, OwnRollout } from './own.ts'

const atOnce = 4

/**
 * Of generations that serve, those to which something is missing: their next task would not start, or nobody would reach
 * it. By their names.
 */
export async function findLostParts(
  own: Pick<OwnRollout, 'parts' | 'volumesMadeMs'>,
  generations: readonly Generation[],
  control: Pick<Control, 'signal'>,
): Promise<Map<string, LostParts>> {
  const { parts } = own
  const proved = generations.filter(({ state }) => state === 'proved')
  const lostGroups = await lostGroupsOf(
    parts,
    proved.flatMap(({ groups }) => groups),
    control,
  )
  const look = async (generation: Generation) => {
    const groups = new Set(generation.groups.filter((arn) => lostGroups.has(arn)))
    const lost = [
      ...(groups.size > 0 ? ['its target group'] : []),
      ...(hasItsVolumes(own, generation) ? [] : ['an access point of its volumes']),
      ...((await hasItsSecrets(parts, generation, control)) ? [] : ['its secret']),
    ]
    return lost.length === 0 ? [] : [[generation.name, { groups, what: lost.join(', ') }] as const]
  }
  return new Map((await mapBounded(proved, atOnce, look, control.signal)).flat())
}

/** A volume that went is another one now, which a definition from before does not mount. */
export function hasItsVolumes(
  { volumesMadeMs }: Pick<OwnRollout, 'volumesMadeMs'>,
  { volumes, createdMs }: Pick<Generation, 'volumes' | 'createdMs'>,
): boolean {
  return volumes.every((volume) => (volumesMadeMs.get(volume) ?? 0) <= createdMs)
}

/** Of these, those that are not there; in one call where all are. */
async function lostGroupsOf(
  { clients }: AwsParts,
  arns: readonly string[],
  { signal }: Pick<Control, 'signal'>,
): Promise<Set<string>> {
  const areThere = async (TargetGroupArns: string[]) => {
    try {
      await clients.balancers.describeTargetGroups({ TargetGroupArns }, { abortSignal: signal })
      return true
    } catch (error) {
      if (isAwsError(error, 'TargetGroupNotFoundException')) return false
      throw error
    }
  }
  if (arns.length === 0 || (await areThere([...arns]))) return new Set()
  const lost = await mapBounded(
    [...arns],
    atOnce,
    async (arn) => ((await areThere([arn])) ? [] : [arn]),
    signal,
  )
  return new Set(lost.flat())
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

/** ARNs of the secrets that its containers are given values of: `ARN:KEY::` each. Pure. */
function secretsOf({ containerDefinitions = [] }: TaskDefinition = {}): Set<string> {
  const values = containerDefinitions.flatMap(({ secrets = [] }) => secrets)
  return new Set(values.flatMap(({ valueFrom }) => valueFrom?.split(':').slice(0, 7).join(':') ?? []))
}
