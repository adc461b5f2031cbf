import { copyRules } from '../../../domain/copy-identity.ts'
import type { Control } from '../../../domain/control.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import { pause, until } from '../../../lib/poll.ts'
import { deployFailed } from '../../../rollout/failure.ts'
import { waysOf } from '../../../domain/ways.ts'
import { awaitChange, changeRecords, recordChanges } from '../inside/records.ts'
import { namesOfLinks, namesOfTypes } from '../inside/wanted-names.ts'
import { membersName, targetGroupName } from '../names.ts'
import { refuseTaken } from '../obstacles.ts'
import {
  findListeners,
  leadPort,
  isWaitingPort,
  removeListener,
  type FoundListener,
} from '../routes/listeners.ts'
import {
  bringRules,
  findRules,
  forwardRule,
  hideRules,
  isLive,
  swapOf,
  type FoundRule,
} from '../routes/rules.ts'
import { isTargetGroup } from '../routes/target-groups.ts'
import { identityOf } from './identity.ts'
import { keepsPlace, type Generation, type OwnRollout } from './own.ts'

/** How long a target that is through the gate may take until the balancer finds it healthy too. */
const targetDeadlineMs = 180_000

/** A type whose requests go to a generation, and to others of it while they make place. */
interface Serving {
  plan: ProcessPlan
  main: Generation
  /** Copies by generation; the main one first. */
  counts: Map<Generation, number>
}

/** Leads requests and names to these copies, and to no other. */
export async function moveTraffic(
  own: OwnRollout,
  plan: Plan,
  processes: string[],
  control: Control,
): Promise<void> {
  own.plan = plan
  const serving = servingOf(own, plan, processes)
  await awaitTargets(own, serving, processes, control)
  const hasMoved = await moveWays(own, serving, processes, control)
  await moveNames(own, plan, serving, control)
  // Every node of a balancer hears of it for itself (aws.md 4.1).
  if (hasMoved) await pause(own.parts.intervals.targets, control.signal)
}

function servingOf(own: OwnRollout, plan: Plan, processes: string[]): Serving[] {
  const rules = copyRules(plan)
  return plan.processes.flatMap((processPlan): Serving[] => {
    const counts = new Map<Generation, number>()
    for (const id of processes) {
      const copy = own.copies.get(id)
      if (copy?.type !== processPlan.type || !copy.generation) continue
      counts.set(copy.generation, (counts.get(copy.generation) ?? 0) + 1)
    }
    const identity = identityOf(rules.get(processPlan.type)!.identity, processPlan)
    const ranked = [...counts.keys()].toSorted(
      (a, b) =>
        Number(b.identity === identity) - Number(a.identity === identity) || b.createdMs - a.createdMs,
    )
    const [main] = ranked
    if (!main) return []
    // All that the plan wants is there: the others wait behind, and get nothing.
    const isWhole = (counts.get(main) ?? 0) >= processPlan.count
    const kept = isWhole ? [main] : ranked
    return [{ plan: processPlan, main, counts: new Map(kept.map((each) => [each, counts.get(each)!])) }]
  })
}

/** A swap to targets that the balancer has not found healthy yet would be answered by 503. */
async function awaitTargets(
  own: OwnRollout,
  serving: Serving[],
  processes: string[],
  { signal }: Control,
): Promise<void> {
  const { clients, intervals } = own.parts
  for (const { main, plan } of serving) {
    const addresses = new Set(
      processes.flatMap((id) => {
        const copy = own.copies.get(id)
        return copy?.generation === main && copy.address !== null ? [copy.address] : []
      }),
    )
    for (const arn of main.groups) {
      let seen = ''
      const areHealthy = async () => {
        const input = { TargetGroupArn: arn }
        const { TargetHealthDescriptions = [] } = await clients.balancers.describeTargetHealth(input, {
          abortSignal: signal,
        })
        const healthy = TargetHealthDescriptions.filter(
          ({ TargetHealth }) => TargetHealth?.State === 'healthy',
        )
        const bad = TargetHealthDescriptions.find(({ TargetHealth }) => TargetHealth?.State !== 'healthy')
        seen = bad?.TargetHealth?.Description ?? bad?.TargetHealth?.Reason ?? ''
        const known = new Set(healthy.map(({ Target }) => Target?.Id))
        // Of copies that serve already some may be restarting: enough is one of them.
        return (
          [...addresses].every((address) => known.has(address)) || (isOld(own, main) && healthy.length > 0)
        )
      }
      const waiting = { intervalMs: intervals.targets, deadlineMs: targetDeadlineMs, what: 'targets', signal }
      try {
        await until(areHealthy, waiting)
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error
        const about = { reason: 'not-healthy' as const, exitCode: null, lastLines: [] }
        const probe = `the balancer does not find it healthy: ${seen}`
        throw deployFailed([{ process: processes[0] ?? '', type: plan.type, ...about, probe }])
      }
    }
  }
}

/** Whether it was there, and proved, before this rollout. */
function isOld({ before }: OwnRollout, generation: Generation): boolean {
  return before.has(generation.name)
}

/**
 * Rules and listeners are one table for all apps: who reads it and then changes it does so alone. None is led before it
 * is certain that no other app has come to a way in meanwhile.
 */
async function moveWays(
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
  serving: Serving[],
  { listeners, rules }: { listeners: FoundListener[]; rules: FoundRule[] },
  control: Control,
): Promise<void> {
  const known = new Set([...own.generations.values()].flatMap((each) => each.groups))
  const plan = { owner: own.owner, processes: serving.map((each) => each.plan) }
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
  const holders = new Map(
    [...own.generations.values()].flatMap((each) => each.groups.map((arn) => [arn, each] as const)),
  )
  if (holders.size === 0) return false
  const all = await findRules(parts, control)
  const listeners = await findListeners(parts, control)
  await refuseWays(own, serving, { listeners, rules: all }, control)
  const before = JSON.stringify(all)
  const live = new Set<FoundRule>()
  for (const each of serving) {
    for (const rule of await liveRules(own, each, all, control)) {
      if (!all.includes(rule)) all.push(rule)
      live.add(rule)
    }
  }
  const others = all.filter((rule) => {
    const holder = holders.get(rule.groups[0]?.arn ?? '')
    return holder && !live.has(rule) && !(isLive(rule) && keepsPlace(own, holder.type))
  })
  const arns = (rules: Iterable<FoundRule>) => new Set(Array.from(rules, ({ arn }) => arn))
  const swap = swapOf(all, arns(live), arns(others))
  if (swap.length > 0) {
    const RulePriorities = swap.map(({ arn, priority }) => ({ RuleArn: arn, Priority: priority }))
    await parts.clients.balancers.setRulePriorities({ RulePriorities }, { abortSignal: control.signal })
  }
  const serve = new Set(processes.flatMap((id) => own.copies.get(id)?.generation ?? []))
  const hidden = others.flatMap((rule) => {
    const generation = holders.get(rule.groups[0]!.arn)!
    return serve.has(generation) ? [] : [{ rule, generation }]
  })
  await hideRules(parts, { hidden, live: [...live] }, control)
  return swap.length > 0 || JSON.stringify(all) !== before
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
  const groupOf = (generation: Generation) => {
    const name = targetGroupName(parts.rack, generation, way.name)
    return generation.groups.find((arn) => isTargetGroup(arn, name))
  }
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
  await refuseWays(own, serving, { listeners, rules: [] }, control)
  const led = new Set<number>()
  for (const { main, plan: processPlan } of serving) {
    for (const way of waysOf(processPlan)) {
      if (way.external === null) continue
      const name = targetGroupName(parts.rack, main, way.name)
      const group = main.groups.find((arn) => isTargetGroup(arn, name))
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

/** All names of the app in one change; those of types that are gone go with their copies. */
async function moveNames(own: OwnRollout, plan: Plan, serving: Serving[], control: Control): Promise<void> {
  const { parts, records } = own
  const mains = new Map(serving.map(({ plan: { type }, main }) => [type, main]))
  const wanted = new Map([...namesOfLinks(parts.rack, plan), ...namesOfTypes(parts.rack, plan, mains)])
  const targets = new Set(serving.map(({ main }) => membersName(parts.rack, main)))
  const stale = [...records].filter(([name, target]) => targets.has(target) && !wanted.has(name))
  const changes = recordChanges(
    records,
    wanted,
    stale.map(([name]) => name),
  )
  if (changes.length === 0) return
  const hadOthers = changes.some(({ ResourceRecordSet: set }) => records.has(set!.Name!))
  own.naming = await changeRecords(parts, changes, control)
  for (const [name] of stale) records.delete(name)
  for (const [name, target] of wanted) records.set(name, target)
  await awaitChange(parts, own.naming, control)
  // Who asked just before keeps the old answer for so long.
  if (hadOthers) await pause(parts.intervals.nameLife, control.signal)
}
