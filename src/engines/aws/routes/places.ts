import type { Control } from '../../../domain/control.ts'
import { isSameOwner, type Owner } from '../../../domain/owner.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { awsTags, ownerTag, readAwsTags, readOwnerTag } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { conditionsOf, conditionText } from './conditions.ts'
import { findAllRules, makeRule, removeRule, type FoundRule } from './rules.ts'

/** A rule, and whose it is. */
interface OwnedRule {
  rule: FoundRule
  owner: Owner
  type: string
}

/** A rule that keeps the host names of a type of which nothing was ever started, and answers that nobody serves. */
export type Place = OwnedRule

/** DescribeTags takes so many (D). */
const rulesOfCall = 20

const nobodyServes = {
  Type: 'fixed-response' as const,
  FixedResponseConfig: {
    StatusCode: '503',
    ContentType: 'text/plain',
    MessageBody: 'This site cannot answer at the moment. Please try again in a little while.\n',
  },
}

/** Whose the places among rules are. */
export async function findPlaces(
  parts: Pick<AwsParts, 'clients' | 'rack'>,
  rules: readonly FoundRule[],
  control: Pick<Control, 'signal'>,
): Promise<Place[]> {
  return await ownersOf(
    parts,
    rules.filter(({ isPlace }) => isPlace),
    control,
  )
}

/** Whose rules are: their tags say it. Those of nobody here are left out. */
export async function ownersOf(
  { clients, rack }: Pick<AwsParts, 'clients' | 'rack'>,
  rules: readonly FoundRule[],
  { signal }: Pick<Control, 'signal'>,
): Promise<OwnedRule[]> {
  const byArn = new Map(rules.map((rule) => [rule.arn, rule]))
  const arns = [...byArn.keys()]
  const found: OwnedRule[] = []
  for (let at = 0; at < arns.length; at += rulesOfCall) {
    const input = { ResourceArns: arns.slice(at, at + rulesOfCall) }
    const { TagDescriptions = [] } = await clients.balancers.describeTags(input, { abortSignal: signal })
    for (const { ResourceArn = '', Tags } of TagDescriptions) {
      const tags = readAwsTags(Tags)
      const rule = byArn.get(ResourceArn)
      if (!rule || tags.rack !== rack || tags.owner === undefined) continue
      found.push({ rule, owner: readOwnerTag(tags.owner), type: tags.type ?? '' })
    }
  }
  return found
}

export async function ownPlaces(
  parts: Pick<AwsParts, 'clients' | 'rack'>,
  owner: Owner,
  rules: readonly FoundRule[],
  control: Pick<Control, 'signal'>,
): Promise<Place[]> {
  const places = await findPlaces(parts, rules, control)
  return places.filter((place) => isSameOwner(place.owner, owner))
}

interface OwnPlaces {
  /** ARN of the listener. */
  listener: string
  owner: Owner
  /** Types of which nothing was ever started, with the names by which the listener is asked for them. */
  sleeping: Pick<ProcessPlan, 'type' | 'hosts' | 'routing'>[]
  /** Those that there are. */
  places: Place[]
}

/** The places of types as their plans are now, made where they are missing; of whatever priority they are. */
export async function bringPlaces(
  parts: AwsParts,
  { listener, owner, sleeping, places }: OwnPlaces,
  control: Pick<Control, 'signal'>,
): Promise<FoundRule[]> {
  const brought: FoundRule[] = []
  for (const plan of sleeping) {
    const Tags = awsTags({ rack: parts.rack, owner: ownerTag(owner), type: plan.type })
    for (const conditions of conditionsOf(plan)) {
      const text = conditionText(conditions)
      const there = places.find(
        ({ type, rule }) => type === plan.type && conditionText(rule.conditions) === text,
      )
      brought.push(
        there?.rule ?? (await makeRule(parts, { listener, conditions, action: nobodyServes, Tags }, control)),
      )
    }
  }
  return brought
}

/** Safe to repeat. */
export async function removePlaces(
  parts: AwsParts,
  owner: Owner,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const places = await ownPlaces(parts, owner, await findAllRules(parts, control), control)
  for (const { rule } of places) await removeRule(parts, rule.arn, control)
}
