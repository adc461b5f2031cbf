import { RackError } from '../../../domain/error.ts'
import type { Plan } from '../../../domain/plan.ts'
import { servesWeb } from '../../../domain/ways.ts'
import { hostsOfRule } from '../routes/conditions.ts'
import { isLive, type FoundRule } from '../routes/rules.ts'

/** To which an application load balancer leads at most; AWS raises it for nobody (aws.md 2.4). */
const mostGroups = 100

/** Kept for releases that come in the place of others; more where an app of more types may be replaced at once. */
const leastSpare = 12

/** Target groups behind a balancer. */
export interface WebRoom {
  number: number
  used: number
  /** Types of the largest app behind it. */
  largest: number
}

const leading = (rules: readonly FoundRule[]) =>
  rules.filter((rule) => isLive(rule) && rule.groups.length > 0)

/** How many of them a plan needs beside those that there are: one for each type of the web that is new or replaced. Pure. */
export function groupsNeeded(
  { processes }: Pick<Plan, 'processes'>,
  starting: ReadonlySet<string>,
  rules: readonly FoundRule[],
): number {
  const led = new Set(leading(rules).flatMap(hostsOfRule))
  return processes.filter(
    (each) =>
      each.count > 0 &&
      servesWeb(each) &&
      (starting.has(each.type) || !each.hosts.some((host) => led.has(host))),
  ).length
}

/** Target groups that rules lead to. Pure. */
export function groupsUsed(rules: readonly FoundRule[]): number {
  return new Set(rules.flatMap(({ groups }) => groups.map(({ arn }) => arn))).size
}

/** What is behind a balancer, by its rules; an app is known by its names below the domain of the rack. Pure. */
export function roomOf(number: number, rules: readonly FoundRule[], domain: string): WebRoom {
  const types = new Map<string, Set<string>>()
  for (const rule of leading(rules)) {
    const own = hostsOfRule(rule).find((host) => host.endsWith(`.${domain}`))
    const app = own
      ?.slice(0, -domain.length - 1)
      .split('.')
      .at(-1)
    if (app === undefined) continue
    types.set(app, (types.get(app) ?? new Set()).add(rule.groups[0]!.arn))
  }
  const sizes = Array.from(types.values(), ({ size }) => size)
  return { number, used: groupsUsed(rules), largest: Math.max(0, ...sizes) }
}

/** Why a balancer cannot lead to so many more for an app that is behind it; null where it can. Pure. */
export function groupShortage(used: number, needed: number): RackError | null {
  if (needed === 0 || used + needed <= mostGroups) return null
  const more = needed === 1 ? 'one more' : `${needed} more`
  return new RackError(
    'capacity',
    `the load balancer of the app leads to ${used} of ${mostGroups} target groups, and this change needs ${more}`,
    {
      hint: 'Each process with an http port takes one, and one more while it is replaced: wait for other deploys (rack apps), or take away what nobody asks for: rack apps delete APP',
    },
  )
}

/**
 * The balancer behind which an app comes that is behind none: the first with room for its types, beside what the largest
 * app there takes while it is replaced. The number of one that is not there yet where none has. Pure.
 * @throws capacity for an app that could never be replaced behind any
 */
export function balancerFor(needed: number, rooms: readonly WebRoom[]): number {
  const fits = ({ used, largest }: Omit<WebRoom, 'number'>) =>
    used + needed + Math.max(leastSpare, largest, needed) <= mostGroups
  if (!fits({ used: 0, largest: 0 })) {
    throw new RackError(
      'capacity',
      `the app has ${needed} processes with an http port, and a load balancer leads to ${mostGroups} target groups: one for each of them, and one more while it is replaced`,
      { hint: `Make several apps of it, each of ${mostGroups / 2} such processes at most` },
    )
  }
  const taken = new Set(rooms.map(({ number }) => number))
  let next = 1
  while (taken.has(next)) next++
  return rooms.find(fits)?.number ?? next
}
