import type { Control } from '../../../domain/control.ts'
import { isSameOwner } from '../../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { conditionsOf, hostsOfRule } from '../routes/conditions.ts'
import { findListeners, removeListener } from '../routes/listeners.ts'
import { bringPlaces, ownersOf, ownPlaces } from '../routes/places.ts'
import {
  bringRules,
  findRulesOf,
  findWebs,
  forwardRule,
  hideRules,
  isLive,
  removeRule,
  swapOf,
  type FoundRule,
  type FoundWeb,
  type OwnRules,
} from '../routes/rules.ts'
import { webDoors, type WebDoor } from '../routes/web-doors.ts'
import { untilKnown } from '../until-known.ts'
import { movePorts, openPorts } from './move-ports.ts'
import type { Generation, OwnRollout } from './own.ts'
import { refuseWays, type OwnWays } from './refuse-ways.ts'
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
  const up = new Set(processes.flatMap((id) => own.copies.get(id)?.generation ?? []))
  const { parts } = own
  await using opening = await openPorts(own, control)
  const { hasMoved, stale } = await parts.routing.run(async () => {
    const isSwapped = await untilFree(
      async () => await swapRules(own, { serving, plan: own.plan!, up }, control),
    )
    return {
      hasMoved: isSwapped,
      stale: await untilFree(async () => await movePorts(own, serving, control)),
    }
  }, control.signal)
  // What is open no more is so before another may have the port.
  await opening.settle()
  if (stale.length > 0) {
    await parts.routing.run(async () => {
      for (const { arn } of stale) await removeListener(parts, arn, control)
    }, control.signal)
  }
  return hasMoved
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

interface WaysWanted {
  serving: Serving[]
  plan: Plan
  /** Generations of which copies still serve, first or last. */
  up: ReadonlySet<Generation>
  /** Nothing but what leads to these is looked at; all when absent. */
  types?: ReadonlySet<string>
  /** Where they were read in this turn; they are read when absent. */
  webs?: FoundWeb[]
}

/**
 * Of each listener of the web in turn: by one call for all rules of the app, so that nothing is moved by half.
 * @returns whether anything has changed
 */
export async function swapRules(
  own: OwnWays,
  { serving, plan, up, types, webs: read }: WaysWanted,
  control: Control,
): Promise<boolean> {
  const [main, ...others] = await webDoors(own.parts, own.balancer, control)
  const webs = read ?? (await findWebs(own.parts, control))
  const all = webs.find(({ balancer }) => balancer.number === own.balancer.number)?.rules ?? []
  if (plan.processes.some((each) => waysOf(each).length > 0)) {
    const listeners = await findListeners(own.parts, control)
    await refuseWays(own, plan.processes, { listeners, rules: webs.flatMap(({ rules }) => rules) }, control)
  }
  const first = await swapBehind(own, { door: main!, plan, serving, all, types }, control)
  const hidden = first.left.filter(({ generation }) => !up.has(generation))
  await hideRules(own.parts, { hidden, live: first.live }, control)
  let { hasMoved } = first
  for (const door of others) {
    const rules = await findRulesOf(own.parts, door.listener, control)
    const next = await swapBehind(own, { door, plan, serving, all: rules, types }, control)
    for (const { rule } of next.left) await removeRule(own.parts, rule.arn, control)
    hasMoved ||= next.hasMoved
  }
  return hasMoved
}

interface Swap extends Pick<WaysWanted, 'serving' | 'plan'> {
  door: WebDoor
  types: WaysWanted['types'] | undefined
  /** All rules behind the door. */
  all: FoundRule[]
}

interface Swapped {
  live: FoundRule[]
  /** Rules of the owner that lead no more. */
  left: { rule: FoundRule; generation: Generation }[]
  hasMoved: boolean
}

async function swapBehind(
  own: OwnWays,
  { door, plan, serving, all, types }: Swap,
  control: Control,
): Promise<Swapped> {
  const { parts, owner } = own
  const isMeant = ({ type }: { type: string }) => types === undefined || types.has(type)
  const holders = new Map(
    [...own.generations.values()]
      .filter(isMeant)
      .flatMap((each) => each.groups.map((arn) => [arn, each] as const)),
  )
  const places = (await ownPlaces(parts, owner, all, control)).filter(isMeant)
  const sleeping = sleepingTypes(own, { door, plan, serving })
  const before = JSON.stringify(all)
  const live = new Set<FoundRule>()
  const { listener } = door
  const wantedOf = (each: Serving) => conditionsOf({ ...each.plan, hosts: door.hostsOf(plan, each.plan) })
  for (const each of serving) {
    for (const rule of await liveRules(own, each, { all, listener, wanted: wantedOf(each) }, control))
      live.add(rule)
  }
  for (const rule of await bringPlaces(parts, { listener, owner, sleeping, places }, control)) live.add(rule)
  all.push(...[...live].filter((rule) => !all.includes(rule)))
  const mains = new Set(serving.map(({ main }) => main))
  const unwanted = all.flatMap((rule) => {
    const generation = holders.get(rule.groups[0]?.arn ?? '')
    return generation && !live.has(rule) ? [{ rule, generation }] : []
  })
  const left = unwanted.filter(({ generation }) => !mains.has(generation))
  // Names that a type has no more would still be led to it by rules that wait.
  const surplus = unwanted.filter(({ generation }) => mains.has(generation))
  const gone = [...surplus, ...places.filter(({ rule }) => !live.has(rule))].map(({ rule }) => rule)
  gone.push(...(await strayRules(own, { all, holders, live }, control)))
  const arns = (rules: Iterable<FoundRule>) => new Set(Array.from(rules, ({ arn }) => arn))
  const swap = swapOf(all, arns(live), arns([...left.map(({ rule }) => rule), ...gone]))
  if (swap.length > 0) {
    const RulePriorities = swap.map(({ arn, priority }) => ({ RuleArn: arn, Priority: priority }))
    const { signal } = control
    const set = async () =>
      await parts.clients.balancers.setRulePriorities({ RulePriorities }, { abortSignal: signal })
    await untilKnown(parts, set, signal)
  }
  for (const { arn } of gone) await removeRule(parts, arn, control)
  return { live: [...live], left, hasMoved: swap.length > 0 || JSON.stringify(all) !== before }
}

/** Rules of the owner that stand in front of live ones, and lead to what is no more: somebody has deleted its service. */
async function strayRules(
  { parts, owner }: OwnWays,
  {
    all,
    holders,
    live,
  }: { all: FoundRule[]; holders: ReadonlyMap<string, Generation>; live: Set<FoundRule> },
  control: Control,
): Promise<FoundRule[]> {
  const hosts = new Set([...live].flatMap(hostsOfRule))
  const strange = all.filter(
    (rule) =>
      !live.has(rule) &&
      isLive(rule) &&
      !rule.isPlace &&
      !holders.has(rule.groups[0]?.arn ?? '') &&
      hostsOfRule(rule).some((host) => hosts.has(host)),
  )
  const owned = await ownersOf(parts, strange, control)
  return owned.filter((each) => isSameOwner(each.owner, owner)).map(({ rule }) => rule)
}

/** Types behind whose names nothing was ever started: their rules answer by themselves. */
function sleepingTypes(own: OwnWays, { door, plan, serving }: Omit<Swap, 'all' | 'types'>): ProcessPlan[] {
  return plan.processes.flatMap((each) => {
    const way = waysOf(each).find(({ kind }) => kind === 'web')
    const main = serving.find(({ plan: { type } }) => type === each.type)?.main
    const isSleeping = way !== undefined && each.count === 0 && !(main && groupBehind(own, main, way))
    return isSleeping ? [{ ...each, hosts: door.hostsOf(plan, each) }] : []
  })
}

/** The rules of what serves of a type, leading where they shall; of whatever priority they are. */
async function liveRules(
  own: OwnWays,
  { plan, main, counts }: Serving,
  { all, listener, wanted }: { all: FoundRule[] } & Pick<OwnRules, 'listener' | 'wanted'>,
  control: Control,
): Promise<FoundRule[]> {
  const { parts } = own
  const way = waysOf(plan).find(({ kind }) => kind === 'web')
  if (!way) return []
  const group = groupBehind(own, main, way)
  if (group === undefined) return []
  const weights = [...counts].flatMap(([generation, weight]) => {
    const arn = groupBehind(own, generation, way)
    return arn === undefined ? [] : [{ arn, weight }]
  })
  const led = weights.length === 1 ? [{ arn: group, weight: 1 }] : weights
  const rules = all.filter(({ groups: [first] }) => first?.arn === group)
  const brought = await bringRules(parts, { listener, generation: main, wanted, group, rules }, control)
  for (const rule of brought) await forwardRule(parts, rule, led, control)
  return brought
}
