import type { Control } from '../../../domain/control.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { refuseTaken } from '../obstacles.ts'
import {
  findListeners,
  isWaitingPort,
  leadPort,
  removeListener,
  type FoundListener,
} from '../routes/listeners.ts'
import { bringPlaces, ownPlaces } from '../routes/places.ts'
import {
  bringRules,
  findRules,
  forwardRule,
  hideRules,
  removeRule,
  swapOf,
  type FoundRule,
} from '../routes/rules.ts'
import type { Generation, OwnRollout } from './own.ts'
import { groupBehind, type Serving } from './serving.ts'

/**
 * Rules and listeners are one table for all apps: who reads it and then changes it does so alone. None is led before it
 * is certain that no other app has come to a way in meanwhile.
 */
export async function moveWays(
  own: OwnRollout,
  serving: Serving[],
  processes: string[],
  control: Control,
): Promise<boolean> {
  return await own.parts.routing.run(async () => {
    const hasMoved = await untilFree(async () => await swapRules(own, serving, processes, control))
    await untilFree(async () => await movePorts(own, serving, control))
    return hasMoved
  }, control.signal)
}

/** What another hand took in between is looked at anew. */
async function untilFree<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const isTaken = isAwsError(error, 'PriorityInUseException', 'DuplicateListenerException')
      if (attempt === 5 || !isTaken) throw error
    }
  }
}

/** Of what serves, with what the owner has for certain. @throws port-taken */
async function refuseWays(
  own: OwnRollout,
  processes: ProcessPlan[],
  { listeners, rules }: { listeners: FoundListener[]; rules: FoundRule[] },
  control: Control,
): Promise<void> {
  const known = new Set([...own.generations.values()].flatMap((each) => each.groups))
  const plan = { owner: own.owner, processes }
  await refuseTaken(own.parts, plan, { listeners, rules, own: known }, control)
}

/** One call for all rules of the app: nothing is moved by half. */
async function swapRules(
  own: OwnRollout,
  serving: Serving[],
  processes: string[],
  control: Control,
): Promise<boolean> {
  const { parts } = own
  const sleeping = sleepingTypes(own, serving)
  const holders = new Map(
    [...own.generations.values()].flatMap((each) => each.groups.map((arn) => [arn, each] as const)),
  )
  const all = await findRules(parts, control)
  const places = await ownPlaces(parts, own.owner, all, control)
  if (holders.size === 0 && sleeping.length + places.length === 0) return false
  const listeners = await findListeners(parts, control)
  await refuseWays(own, [...serving.map(({ plan }) => plan), ...sleeping], { listeners, rules: all }, control)
  const before = JSON.stringify(all)
  const live = new Set<FoundRule>()
  for (const each of serving) {
    for (const rule of await liveRules(own, each, all, control)) {
      if (!all.includes(rule)) all.push(rule)
      live.add(rule)
    }
  }
  for (const rule of await bringPlaces(parts, { owner: own.owner, sleeping, places }, control)) {
    if (!all.includes(rule)) all.push(rule)
    live.add(rule)
  }
  const left = places.filter(({ rule }) => !live.has(rule)).map(({ rule }) => rule)
  const others = all.filter((rule) => holders.has(rule.groups[0]?.arn ?? '') && !live.has(rule))
  const arns = (rules: Iterable<FoundRule>) => new Set(Array.from(rules, ({ arn }) => arn))
  const swap = swapOf(all, arns(live), arns([...others, ...left]))
  if (swap.length > 0) {
    const RulePriorities = swap.map(({ arn, priority }) => ({ RuleArn: arn, Priority: priority }))
    await parts.clients.balancers.setRulePriorities({ RulePriorities }, { abortSignal: control.signal })
  }
  for (const { arn } of left) await removeRule(parts, arn, control)
  const serve = new Set(processes.flatMap((id) => own.copies.get(id)?.generation ?? []))
  const hidden = others.flatMap((rule) => {
    const generation = holders.get(rule.groups[0]!.arn)!
    return serve.has(generation) ? [] : [{ rule, generation }]
  })
  await hideRules(parts, { hidden, live: [...live] }, control)
  return swap.length > 0 || JSON.stringify(all) !== before
}

/** Types with host names behind which nothing was ever started: their rules answer by themselves. */
function sleepingTypes(own: OwnRollout, serving: Serving[]): ProcessPlan[] {
  return own.plan!.processes.filter((plan) => {
    const way = waysOf(plan).find(({ kind }) => kind === 'web')
    const main = serving.find((each) => each.plan === plan)?.main
    return way !== undefined && plan.count === 0 && !(main && groupBehind(own, main, way))
  })
}

/** The rules of what serves of a type, leading where they shall; of whatever priority they are. */
async function liveRules(
  own: OwnRollout,
  each: Serving,
  all: FoundRule[],
  control: Control,
): Promise<FoundRule[]> {
  const { parts } = own
  const way = waysOf(each.plan).find(({ kind }) => kind === 'web')
  if (!way) return []
  const groupOf = (generation: Generation) => groupBehind(own, generation, way)
  const group = groupOf(each.main)
  if (group === undefined) return []
  const weights = [...each.counts].flatMap(([generation, weight]) => {
    const arn = groupOf(generation)
    return arn === undefined ? [] : [{ arn, weight }]
  })
  const led = weights.length === 1 ? [{ arn: group, weight: 1 }] : weights
  const rules = all.filter(({ groups: [first] }) => first?.arn === group)
  const brought = await bringRules(parts, { generation: each.main, plan: each.plan, group, rules }, control)
  for (const rule of brought) await forwardRule(parts, rule, led, control)
  return brought
}

async function movePorts(own: OwnRollout, serving: Serving[], control: Control): Promise<void> {
  const { parts, plan } = own
  const groups = new Set([...own.generations.values()].flatMap((each) => each.groups))
  if (groups.size === 0) return
  const listeners = await findListeners(parts, control)
  await refuseWays(
    own,
    serving.map((each) => each.plan),
    { listeners, rules: [] },
    control,
  )
  const led = new Set<number>()
  for (const { main, plan: processPlan } of serving) {
    for (const way of waysOf(processPlan)) {
      if (way.external === null) continue
      const group = groupBehind(own, main, way)
      if (group === undefined) continue
      await leadPort(parts, listeners, { port: way.external, group }, control)
      led.add(way.external)
    }
  }
  const wanted = new Set(plan!.processes.flatMap((each) => waysOf(each).map(({ external }) => external)))
  for (const { arn, port, group } of listeners) {
    const isStale = !isWaitingPort(port) && groups.has(group) && !led.has(port) && !wanted.has(port)
    if (isStale) await removeListener(parts, arn, control)
  }
}
