import { createHash } from 'node:crypto'
import type { Control } from '../../../domain/control.ts'
import { ownerKey } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { findGenerations, type FoundGeneration } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { findAllRules, type FoundRule } from '../routes/rules.ts'
import { findWebBalancers } from '../web/web-balancers.ts'
import { webDoors, type WebDoor } from '../routes/web-doors.ts'
import { generationOf } from './found-generation.ts'

/** All that leads to apps, as it is found at a time. */
export interface WaysLook {
  /** Whether it is as it was when nothing had to be done for this plan. */
  isSettled(plan: Plan): boolean
  /** What came of it: whether anything had to be changed. */
  note(plan: Plan, hasMoved: boolean): void
}

/**
 * Remembers of which apps everything led where it should: while nothing that it hangs on has changed, in the rack or by
 * somebody's hand in the account, one look at all of it does for all of them.
 */
export function createSettledWays(
  parts: AwsParts,
): (plans: readonly Plan[], control: Control) => Promise<WaysLook> {
  const settled = new Map<string, string>()
  return async (plans, control) => {
    const [generations, rules, webs] = await Promise.all([
      findGenerations(parts, {}, control),
      findAllRules(parts, control),
      findWebBalancers(parts, control),
    ])
    const doors: WebDoor[] = []
    for (const balancer of webs) doors.push(...(await webDoors(parts, balancer, control)))
    const domains = parts.domains.current()
    const keys = new Set(plans.map(({ owner }) => ownerKey(owner)))
    for (const key of settled.keys()) if (!keys.has(key)) settled.delete(key)
    const print = (plan: Plan) => printOf({ plan, domains, generations, rules, doors })
    return {
      isSettled: (plan) => settled.get(ownerKey(plan.owner)) === print(plan),
      note(plan, hasMoved) {
        if (hasMoved) settled.delete(ownerKey(plan.owner))
        else settled.set(ownerKey(plan.owner), print(plan))
      },
    }
  }
}

interface Printed {
  plan: Plan
  domains: unknown
  generations: FoundGeneration[]
  rules: FoundRule[]
  /** Which names are served where: that hangs on certificates. */
  doors: Pick<WebDoor, 'hostsOf'>[]
}

/** Stands for what is wanted of an app's ways and how they are. Pure. */
export function printOf({ plan, domains, generations, rules, doors }: Printed): string {
  const key = ownerKey(plan.owner)
  const own = generations.filter(({ owner }) => ownerKey(owner) === key)
  const groups = new Set(own.flatMap((each) => generationOf(each).groups))
  // Whose a rule is that leads to nothing is told by its tags alone, so those of all count.
  const led = rules.filter(({ groups: to, isPlace }) => isPlace || to.some(({ arn }) => groups.has(arn)))
  const hosts = doors.map((door) => plan.processes.map((each) => door.hostsOf(plan, each)))
  const found = own.map(({ name, service }) => [name, service.status])
  return createHash('sha256')
    .update(JSON.stringify([plan, domains, hosts, found, led]))
    .digest('base64')
}
