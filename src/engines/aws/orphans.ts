import type { Control } from '../../domain/control.ts'
import { isSameOwner, type Owner } from '../../domain/owner.ts'
import { clearParts } from './leaving/remove-parts.ts'
import { findGenerations, findTasks, pages } from './look/found.ts'
import {
  generationName,
  memberName,
  readAwsTags,
  readGenerationName,
  readOwnerWord,
  readTags,
  type GenerationName,
} from './names.ts'
import type { AwsParts } from './parts.ts'

/**
 * Parts of generations that have no service and no task: a daemon died before it made one, or before it took them away.
 * What is about to be used looks the same for a moment, so only what was so at the last look too is taken away.
 */
export async function sweepOrphans(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<number> {
  const orphans = await findOrphans(parts, control)
  const again = orphans.filter((each) => parts.suspects.has(generationName(each)))
  parts.suspects.clear()
  for (const each of orphans) parts.suspects.add(generationName(each))
  let removed = 0
  for (const each of again) {
    try {
      if (!(await clearOrphan(parts, each, control))) continue
      parts.suspects.delete(generationName(each))
      removed++
    } catch (error) {
      // It stays a suspect, and the others go.
      control.signal.throwIfAborted()
      parts.onTrouble(error)
    }
  }
  return removed
}

/** Such parts of an owner that is removed: nothing of it is about to be used. Safe to repeat. */
export async function clearOrphansOf(
  parts: AwsParts,
  owner: Owner,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  for (const each of await findOrphans(parts, control)) {
    if (isSameOwner(each.owner, owner)) await clearOrphan(parts, each, control)
  }
}

/** False for one of another rack. */
async function clearOrphan(
  parts: AwsParts,
  orphan: GenerationName,
  control: Pick<Control, 'signal'>,
): Promise<boolean> {
  if (!(await isOfRack(parts, orphan, control))) return false
  const groups = await groupsOf(parts, orphan, control)
  const registry = await registryOf(parts, orphan, control)
  await clearParts(parts, { ...orphan, groups, registry }, control)
  return true
}

async function findOrphans(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<GenerationName[]> {
  const named = new Map<string, GenerationName>()
  for (const each of [...(await families(parts, control)), ...(await secrets(parts, control))]) {
    named.set(generationName(each), each)
  }
  for (const { name } of await findGenerations(parts, {}, control)) named.delete(name)
  for (const { task } of await findTasks(parts, {}, control)) {
    named.delete(/task-definition\/([^:]+):/.exec(task.taskDefinitionArn ?? '')?.[1] ?? '')
  }
  for (const name of [...parts.leavingServices, ...parts.preparing]) named.delete(name)
  return [...named.values()]
}

async function families(
  { clients }: AwsParts,
  { signal }: Pick<Control, 'signal'>,
): Promise<GenerationName[]> {
  const list = async (nextToken?: string) => {
    const input = { status: 'ACTIVE' as const, ...(nextToken && { nextToken }) }
    const answer = await clients.ecs.listTaskDefinitionFamilies(input, { abortSignal: signal })
    return { items: answer.families ?? [], nextToken: answer.nextToken }
  }
  const all = await Array.fromAsync(pages(list))
  return all.flatMap((family) => readGenerationName(family) ?? [])
}

/** `rack/R/A/TYPE-G…`; one that was made alone is all that there is of its generation. */
async function secrets(
  { clients, rack }: AwsParts,
  { signal }: Pick<Control, 'signal'>,
): Promise<GenerationName[]> {
  const prefix = `rack/${rack}/`
  const list = async (NextToken?: string) => {
    const input = { Filters: [{ Key: 'name' as const, Values: [prefix] }], ...(NextToken && { NextToken }) }
    const answer = await clients.secrets.listSecrets(input, { abortSignal: signal })
    return { items: answer.SecretList ?? [], nextToken: answer.NextToken }
  }
  const all = await Array.fromAsync(pages(list))
  return all.flatMap(({ Name = '' }) => {
    const [, word, type, id] = /^([^/]+)\/([a-z0-9-]+)-(G[A-Z]{10})$/.exec(Name.slice(prefix.length)) ?? []
    return word && type && id ? [{ owner: readOwnerWord(word), type, id }] : []
  })
}

/** Families of all racks of an account stand in one list: whose one is its tags say. A secret's name says it itself. */
async function isOfRack(
  { clients, rack }: AwsParts,
  generation: GenerationName,
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  const list = async (nextToken?: string) => {
    const input = { familyPrefix: generationName(generation), ...(nextToken && { nextToken }) }
    const answer = await clients.ecs.listTaskDefinitions(input, { abortSignal: signal })
    return { items: answer.taskDefinitionArns ?? [], nextToken: answer.nextToken }
  }
  for await (const taskDefinition of pages(list)) {
    const input = { taskDefinition, include: ['TAGS' as const] }
    const { tags } = await clients.ecs.describeTaskDefinition(input, { abortSignal: signal })
    return readTags(tags).rack === rack
  }
  return true
}

/** DescribeTags takes so many (D). */
const groupsOfCall = 20

/** Target groups of a generation, by their tags. */
export async function groupsOf(
  { clients, rack }: AwsParts,
  { id }: GenerationName,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const abort = { abortSignal: signal }
  const list = async (Marker?: string) => {
    const answer = await clients.balancers.describeTargetGroups({ ...(Marker && { Marker }) }, abort)
    return { items: answer.TargetGroups ?? [], nextToken: answer.NextMarker }
  }
  const all = await Array.fromAsync(pages(list))
  const arns = all.flatMap(({ TargetGroupArn }) => TargetGroupArn ?? [])
  const found: string[] = []
  for (let at = 0; at < arns.length; at += groupsOfCall) {
    const input = { ResourceArns: arns.slice(at, at + groupsOfCall) }
    const { TagDescriptions = [] } = await clients.balancers.describeTags(input, abort)
    for (const { ResourceArn, Tags } of TagDescriptions) {
      const tags = readAwsTags(Tags)
      if (ResourceArn && tags.rack === rack && tags.generation === id) found.push(ResourceArn)
    }
  }
  return found
}

/** The service of Cloud Map of a generation, by its name. */
export async function registryOf(
  { clients, places }: AwsParts,
  generation: GenerationName,
  { signal }: Pick<Control, 'signal'>,
): Promise<string | null> {
  const list = async (NextToken?: string) => {
    const Filters = [{ Name: 'NAMESPACE_ID' as const, Values: [places.namespace] }]
    const answer = await clients.discovery.listServices(
      { Filters, ...(NextToken && { NextToken }) },
      { abortSignal: signal },
    )
    return { items: answer.Services ?? [], nextToken: answer.NextToken }
  }
  for await (const { Name, Arn } of pages(list)) if (Name === memberName(generation)) return Arn ?? null
  return null
}
