import type { Action, Rule, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { pages } from '../look/found.ts'
import { awsTags, ownerTag, type GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** Priority 1 is the rack's own API. */
const firstLive = 2
const lastLive = 20_000
const lastWaiting = 50_000
/** Values of conditions that a rule holds (aws.md 2.4). */
const valuesOfRule = 5
const hostsBesideRanges = 2
const mostRules = 4

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

/** Http rules live on 443 when it is there: never two rules a type. */
function listenerOf({ places }: Pick<AwsParts, 'places'>): string {
  const { http, https } = places.balancer.listeners
  return https ?? http
}

export async function findRules(parts: AwsParts, { signal }: Pick<Control, 'signal'>): Promise<FoundRule[]> {
  const found: FoundRule[] = []
  const list = async (Marker?: string) => {
    const input = { ListenerArn: listenerOf(parts), ...(Marker && { Marker }) }
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

/** The conditions of the rules of a type, one list a rule: host names, and who may come. Pure. @throws invalid */
export function conditionsOf({
  type,
  hosts,
  routing,
}: Pick<ProcessPlan, 'type' | 'hosts' | 'routing'>): RuleCondition[][] {
  const ranges = routing.allow?.map((range) =>
    range.includes('/') ? range : `${range}${range.includes(':') ? '/128' : '/32'}`,
  )
  const perRule = ranges ? hostsBesideRanges : valuesOfRule
  const hostGroups = chunks([...hosts].toSorted(), perRule)
  const rangeGroups = ranges
    ? chunks(ranges, valuesOfRule - Math.min(hosts.length, hostsBesideRanges))
    : [null]
  const rules = hostGroups.flatMap((names) => rangeGroups.map((some) => ({ names, some })))
  if (rules.length > mostRules) {
    throw new RackError(
      'invalid',
      `${type} needs ${rules.length} rules of the balancer, and may have ${mostRules}`,
      {
        hint: 'Give it fewer host names, or larger ranges in rack.allow.',
      },
    )
  }
  return rules.map(({ names, some }) => [
    { Field: 'host-header', HostHeaderConfig: { Values: names } },
    ...(some ? [{ Field: 'source-ip', SourceIpConfig: { Values: some } }] : []),
  ])
}

function chunks<T>(items: T[], size: number): T[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_each, index) => items.slice(index * size, (index + 1) * size))
}

/** No visitor asks for it: what leads there has its targets checked, and takes no request. */
function nobodyAsks(generation: GenerationName): RuleCondition[] {
  return [{ Field: 'host-header', HostHeaderConfig: { Values: [`${generation.id.toLowerCase()}.invalid`] } }]
}

/**
 * Rules that wait for their turn, behind all that are live. Where live ones match the same they stand in front of them;
 * else nobody would, and what waits matches nothing until traffic moves.
 */
export async function makeWaitingRules(
  parts: AwsParts,
  { generation, plan, group }: Omit<OwnRules, 'rules'>,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const Tags = awsTags({ rack: parts.rack, owner: ownerTag(generation.owner), type: generation.type })
  const live = (await findRules(parts, control)).filter(isLive)
  const shadows = new Set(live.map((rule) => conditionText(rule.conditions)))
  for (const wanted of conditionsOf(plan)) {
    const conditions = shadows.has(conditionText(wanted)) ? wanted : nobodyAsks(generation)
    await makeRule(parts, { conditions, action: forwardTo(group), Tags }, control)
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
  generation: GenerationName
  plan: ProcessPlan
  group: string
  /** Those that lead to it now. */
  rules: FoundRule[]
}

/** Has the rules of a generation as its plan is now: host names and who may come change in place. Gives all that there are then. */
export async function bringRules(
  parts: AwsParts,
  { generation, plan, group, rules }: OwnRules,
  control: Pick<Control, 'signal'>,
): Promise<FoundRule[]> {
  const abort = { abortSignal: control.signal }
  const Tags = awsTags({ rack: parts.rack, owner: ownerTag(generation.owner), type: generation.type })
  const wanted = conditionsOf(plan)
  const brought: FoundRule[] = []
  for (const [index, conditions] of wanted.entries()) {
    const rule =
      rules[index] ?? (await makeRule(parts, { conditions, action: forwardTo(group), Tags }, control))
    if (conditionText(rule.conditions) !== conditionText(conditions)) {
      await parts.clients.balancers.modifyRule({ RuleArn: rule.arn, Conditions: conditions }, abort)
      rule.conditions = conditions
    }
    brought.push(rule)
  }
  for (const { arn } of rules.slice(wanted.length)) await removeRule(parts, arn, control)
  return brought
}

/** Conditions in one form: AWS tells values of host names twice. */
export function conditionText(conditions: RuleCondition[]): string {
  const told = conditions.map(({ Field, HostHeaderConfig, SourceIpConfig, Values = [] }) => {
    const values = HostHeaderConfig?.Values ?? SourceIpConfig?.Values ?? Values
    return `${Field} ${values.toSorted().join(' ')}`
  })
  return told.toSorted().join(', ')
}

const forwardTo = (TargetGroupArn: string): Action => ({ Type: 'forward', TargetGroupArn })

/** One that waits behind all that are live. */
export async function makeRule(
  parts: AwsParts,
  {
    conditions,
    action,
    Tags,
  }: { conditions: RuleCondition[]; action: Action; Tags: { Key: string; Value: string }[] },
  { signal }: Pick<Control, 'signal'>,
): Promise<FoundRule> {
  for (;;) {
    const priority = await freeWaiting(parts)
    try {
      const { Rules = [] } = await parts.clients.balancers.createRule(
        {
          ListenerArn: listenerOf(parts),
          Priority: priority,
          Conditions: conditions,
          Actions: [action],
          Tags,
        },
        { abortSignal: signal },
      )
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
