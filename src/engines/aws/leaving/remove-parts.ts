import type { Control } from '../../../domain/control.ts'
import { until } from '../../../lib/poll.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { secretPartName } from '../definition/environment-secret.ts'
import { pages } from '../look/found.ts'
import { generationName, secretName, type GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { findListeners, removeListener } from '../routes/listeners.ts'
import { findAllRules, removeRule } from '../routes/rules.ts'
import { removeTargetGroup } from '../routes/target-groups.ts'

/** A generation as far as it is to be taken away. */
export interface LeftGeneration extends GenerationName {
  groups: string[]
  registry: string | null
}

/** How long the members of a generation may take to be unlisted. */
const unlistDeadlineMs = 900_000

/** Ends the copies of a generation and its service at once; what it stood on goes behind the caller's back. Safe to repeat. */
export async function removeGeneration(
  parts: AwsParts,
  generation: LeftGeneration,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  await deleteService(parts, generationName(generation), control)
  await clearWays(parts, generation.groups, control)
  parts.behind(async (signal) => await clearParts(parts, generation, { signal }))
}

async function deleteService(
  { clients, places, madeServices }: AwsParts,
  service: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    const input = { cluster: places.cluster, service, force: true }
    await clients.ecs.deleteService(input, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'ServiceNotFoundException', 'ServiceNotActiveException')) throw error
  }
  madeServices.delete(service)
}

/** Nothing leads to its target groups any more. */
async function clearWays(
  parts: AwsParts,
  groups: readonly string[],
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if (groups.length === 0) return
  const own = new Set(groups)
  for (const rule of await findAllRules(parts, control)) {
    const [first] = rule.groups
    if (first && own.has(first.arn)) await removeRule(parts, rule.arn, control)
  }
  for (const { arn, group } of await findListeners(parts, control)) {
    if (own.has(group)) await removeListener(parts, arn, control)
  }
}

/** All that a generation stood on. Safe to repeat. */
export async function clearParts(
  parts: AwsParts,
  generation: LeftGeneration,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  await clearWays(parts, generation.groups, control)
  for (const arn of generation.groups) await removeTargetGroup(parts, arn, control)
  if (generation.registry) await removeRegistry(parts, generation.registry, control)
  await removeDefinition(parts, generation, control)
}

/** The definition of what runs by itself, and its secret. Safe to repeat. */
export async function removeDefinition(
  parts: AwsParts,
  generation: GenerationName,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  await removeDefinitions(parts, generationName(generation), control)
  await removeSecrets(parts, generation, control)
}

/** DeleteTaskDefinitions takes so many (D). */
const definitionsOfCall = 10

/** Cloud Map gives one up when all members are unlisted. */
async function removeRegistry(
  { clients, intervals }: AwsParts,
  arn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const id = arn.slice(arn.lastIndexOf('/') + 1)
  const isGone = async () => {
    try {
      await clients.discovery.deleteService({ Id: id }, { abortSignal: signal })
      return true
    } catch (error) {
      if (isAwsError(error, 'ServiceNotFound')) return true
      if (isAwsError(error, 'ResourceInUse')) return false
      throw error
    }
  }
  const waiting = {
    intervalMs: intervals.names,
    deadlineMs: unlistDeadlineMs,
    what: 'members to be unlisted',
  }
  await until(isGone, { ...waiting, signal })
}

async function removeDefinitions(
  { clients }: AwsParts,
  family: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const abort = { abortSignal: signal }
  const list = async (nextToken?: string) => {
    const input = { familyPrefix: family, ...(nextToken && { nextToken }) }
    const answer = await clients.ecs.listTaskDefinitions(input, abort)
    return { items: answer.taskDefinitionArns ?? [], nextToken: answer.nextToken }
  }
  const arns = await Array.fromAsync(pages(list))
  for (const arn of arns) await clients.ecs.deregisterTaskDefinition({ taskDefinition: arn }, abort)
  for (let at = 0; at < arns.length; at += definitionsOfCall)
    await clients.ecs.deleteTaskDefinitions(
      { taskDefinitions: arns.slice(at, at + definitionsOfCall) },
      abort,
    )
}

/** A secret that is full goes on in further ones: the first that is not there ends them. */
async function removeSecrets(
  parts: AwsParts,
  generation: GenerationName,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const name = secretName(parts.rack, generation)
  let part = 0
  while (await removeSecret(parts, secretPartName(name, part), control)) part++
}

/** False where there is none: to delete one that is not there is no error. */
async function removeSecret(
  { clients }: AwsParts,
  SecretId: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  const abort = { abortSignal: signal }
  try {
    const { DeletedDate } = await clients.secrets.describeSecret({ SecretId }, abort)
    if (DeletedDate) return true
    await clients.secrets.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true }, abort)
    return true
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return false
    throw error
  }
}
