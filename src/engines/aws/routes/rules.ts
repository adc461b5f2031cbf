import type { Action, Rule, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Control } from '../../../domain/control.ts'
import { isAwsError } from '../../../aws/errors.ts'
import type { WebBalancer, WebPlace } from '../../../domain/aws-places.ts'
import { pages } from '../look/found.ts'
import { awsTags, ownerTag, type GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { untilKnown } from '../until-known.ts'
import { findWebBalancers } from '../web/web-balancers.ts'
import { conditionText, nobodyAsks } from './conditions.ts'

/** Priority 1 is the rack's own API. */
const firstLive = 2
const lastLive = 20_000
const lastWaiting = 50_000
/** A rule of the balancer's listener that leads to copies. */
export interface FoundRule {
  arn: string
  priority: number
  /** ARNs of the target groups that it forwards to: that of the generation that it is of comes first. */
  groups: { arn: string; weight: number }[]
  conditions: RuleCondition[]
  /** Set where it answers by itself, for a type of which nothing was ever started. */
  isPlace?: true
}

/** ARNs. The first is that of the one behind which every type has its rules, 443 where it is there. */
function webListeners({ listeners: { http, https } }: WebPlace): [string, ...string[]] {
  return https === null ? [http] : [https, http]
}

/** Of the listener of a balancer behind which every type has its rules. */
export async function findRules(
  parts: Pick<AwsParts, 'clients'>,
  balancer: WebPlace,
  control: Pick<Control, 'signal'>,
): Promise<FoundRule[]> {
  return await findRulesOf(parts, webListeners(balancer)[0], control)
}

/** A balancer, and the rules of its listener behind which every type has its own. */
export interface FoundWeb {
  balancer: WebBalancer
  rules: FoundRule[]
}

/** Of all balancers of the web. */
export async function findWebs(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<FoundWeb[]> {
  return await perBalancer(parts, control, async (balancer) => {
    return { balancer, rules: await findRules(parts, balancer, control) }
  })
}

/** Of all listeners of the web. */
export async function findAllRules(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<FoundRule[]> {
  const found = await perBalancer(parts, control, async (balancer) => {
    const rules: FoundRule[] = []
    for (const listener of webListeners(balancer))
      rules.push(...(await findRulesOf(parts, listener, control)))
    return rules
  })
  return found.flat()
}

/** A further one that somebody has taken away leads nobody, and is looked for anew. */
async function perBalancer<T>(
  parts: AwsParts,
  control: Pick<Control, 'signal'>,
  look: (balancer: WebBalancer) => Promise<T>,
): Promise<T[]> {
  const found: T[] = []
  for (const balancer of await findWebBalancers(parts, control)) {
    try {
      found.push(await look(balancer))
    } catch (error) {
      const isGone = isAwsError(error, 'ListenerNotFoundException', 'ListenerNotFound')
      if (!isGone || balancer.number === 1) throw error
      parts.web.further = undefined
    }
  }
  return found
}

export async function findRulesOf(
  parts: Pick<AwsParts, 'clients'>,
  listener: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<FoundRule[]> {
  const found: FoundRule[] = []
  const list = async (Marker?: string) => {
    const input = { ListenerArn: listener, ...(Marker && { Marker }) }
    const answer = await parts.clients.balancers.describeRules(input, { abortSignal: signal })
    return { items: answer.Rules ?? [], nextToken: answer.NextMarker }
  }
  for await (const rule of pages(list)) if (rule.Priority !== 'default') found.push(toRule(rule))
  return found
}

function toRule({ RuleArn = '', Priority, Actions = [], Conditions = [] }: Rule): FoundRule {
  const [action] = Actions
  const tuples = action?.ForwardConfig?.TargetGroups ?? [
    { TargetGroupArn: action?.TargetGroupArn, Weight: 1 },
  ]
  const groups = tuples.flatMap(({ TargetGroupArn: arn, Weight: weight = 1 }) =>
    arn ? [{ arn, weight }] : [],
  )
  const isPlace = action?.Type === 'fixed-response'
  return {
    arn: RuleArn,
    priority: Number(Priority),
    groups,
    conditions: Conditions,
    ...(isPlace && { isPlace }),
  }
}

export function isLive({ priority }: Pick<FoundRule, 'priority'>): boolean {
  return priority >= firstLive && priority <= lastLive
}

interface WaitingRules extends Pick<OwnRules, 'generation' | 'wanted' | 'group'> {
  balancer: WebPlace
}

/**
 * Rules that wait for their turn, behind all that are live. Where live ones match the same they stand in front of them;
 * else nobody would, and what waits matches nothing until traffic moves.
 */
export async function makeWaitingRules(
  parts: AwsParts,
  { balancer, generation, wanted, group }: WaitingRules,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const Tags = awsTags({ rack: parts.rack, owner: ownerTag(generation.owner), type: generation.type })
  const live = (await findRules(parts, balancer, control)).filter(isLive)
  const shadows = new Set(live.map((rule) => conditionText(rule.conditions)))
  const [listener] = webListeners(balancer)
  for (const own of wanted) {
    const conditions = shadows.has(conditionText(own)) ? own : nobodyAsks(generation)
    await makeRule(parts, { listener, conditions, action: forwardTo(group), Tags }, control)
  }
}

/** Has what left match nothing that live rules do not match before it. */
export async function hideRules(
  { clients }: Pick<AwsParts, 'clients'>,
  { hidden, live }: { hidden: { rule: FoundRule; generation: GenerationName }[]; live: FoundRule[] },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const shadows = new Set(live.map((rule) => conditionText(rule.conditions)))
  for (const { rule, generation } of hidden) {
    const Conditions = nobodyAsks(generation)
    const text = conditionText(rule.conditions)
    if (shadows.has(text) || text === conditionText(Conditions)) continue
    await clients.balancers.modifyRule({ RuleArn: rule.arn, Conditions }, { abortSignal: signal })
    rule.conditions = Conditions
  }
}

export interface OwnRules {
  /** ARN of the listener. */
  listener: string
  generation: GenerationName
  /** Conditions, one list a rule. */
  wanted: RuleCondition[][]
  group: string
  /** Those that lead to it now. */
  rules: FoundRule[]
}

/**
 * Has the rules of a generation as its plan is now: host names and who may come change in place. Gives those that it
 * needs; further ones are to go.
 */
export async function bringRules(
  parts: AwsParts,
  { listener, generation, wanted, group, rules }: OwnRules,
  control: Pick<Control, 'signal'>,
): Promise<FoundRule[]> {
  const abort = { abortSignal: control.signal }
  const Tags = awsTags({ rack: parts.rack, owner: ownerTag(generation.owner), type: generation.type })
  const brought: FoundRule[] = []
  for (const [index, conditions] of wanted.entries()) {
    const rule =
      rules[index] ??
      (await makeRule(parts, { listener, conditions, action: forwardTo(group), Tags }, control))
    if (conditionText(rule.conditions) !== conditionText(conditions)) {
      await parts.clients.balancers.modifyRule({ RuleArn: rule.arn, Conditions: conditions }, abort)
      rule.conditions = conditions
    }
    brought.push(rule)
  }
  return brought
}

const forwardTo = (TargetGroupArn: string): Action => ({ Type: 'forward', TargetGroupArn })

interface NewRule {
  /** ARN of the listener. */
  listener: string
  conditions: RuleCondition[]
  action: Action
  Tags: { Key: string; Value: string }[]
}

/** One that waits behind all that are live. */
export async function makeRule(
  parts: AwsParts,
  { listener, conditions, action, Tags }: NewRule,
  { signal }: Pick<Control, 'signal'>,
): Promise<FoundRule> {
  for (;;) {
    const priority = await freeWaiting(parts)
    try {
      const input = {
        ListenerArn: listener,
        Priority: priority,
        Conditions: conditions,
        Actions: [action],
        Tags,
      }
      const create = async () => await parts.clients.balancers.createRule(input, { abortSignal: signal })
      const { Rules = [] } = await untilKnown(parts, create, signal)
      return toRule(Rules[0]!)
    } catch (error) {
      if (!isAwsError(error, 'PriorityInUseException', 'PriorityInUse')) throw error
    }
  }
}

/** Any number of the waiting ones: whether it is free the balancer says. */
async function freeWaiting({ randomBytes }: AwsParts): Promise<number> {
  const bytes = randomBytes(4)
  const number = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  return lastLive + 1 + (number % (lastWaiting - lastLive))
}

/** Safe to repeat. */
export async function removeRule(
  { clients }: Pick<AwsParts, 'clients'>,
  arn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await clients.balancers.deleteRule({ RuleArn: arn }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'RuleNotFoundException', 'RuleNotFound')) throw error
  }
}

/**
 * The priorities by which `live` take every request and no other rule of `all` that is one of `others` does. Pure; those
 * that stay are not in it, empty where all is so.
 */
export function swapOf(
  all: readonly FoundRule[],
  live: ReadonlySet<string>,
  others: ReadonlySet<string>,
): { arn: string; priority: number }[] {
  const leaving = all.filter((rule) => others.has(rule.arn) && isLive(rule))
  const coming = all.filter((rule) => live.has(rule.arn) && !isLive(rule))
  const taken = new Set(all.map(({ priority }) => priority))
  const free = (from: number) => {
    let number = from
    while (taken.has(number)) number++
    taken.add(number)
    return number
  }
  const pairs = coming.map((rule, index) => ({ rule, old: leaving[index] }))
  return [
    ...pairs.flatMap(({ rule, old }) =>
      old
        ? [
            { arn: rule.arn, priority: old.priority },
            { arn: old.arn, priority: rule.priority },
          ]
        : [{ arn: rule.arn, priority: free(firstLive) }],
    ),
    ...leaving.slice(coming.length).map(({ arn }) => ({ arn, priority: free(lastLive + 1) })),
  ]
}

/** Where the rule of a generation leads: to it alone, or to others too while they make place. */
export async function forwardRule(
  { clients }: Pick<AwsParts, 'clients'>,
  rule: FoundRule,
  groups: { arn: string; weight: number }[],
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const text = (some: { arn: string; weight: number }[]) =>
    JSON.stringify(some.map(({ arn, weight }) => [arn, weight]))
  const alone = groups.length === 1
  const isSame = alone
    ? rule.groups.length === 1 && rule.groups[0]!.arn === groups[0]!.arn
    : text(rule.groups) === text(groups)
  if (isSame) return
  const TargetGroups = groups.map(({ arn, weight }) => ({ TargetGroupArn: arn, Weight: weight }))
  const Actions = [{ Type: 'forward' as const, ForwardConfig: { TargetGroups } }]
  await clients.balancers.modifyRule({ RuleArn: rule.arn, Actions }, { abortSignal: signal })
  rule.groups = groups
}
