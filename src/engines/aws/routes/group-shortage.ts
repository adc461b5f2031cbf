import { RackError } from '../../../domain/error.ts'
import type { Plan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { isLive, type FoundRule } from './rules.ts'

/** To which an application load balancer leads at most; AWS raises it for nobody (aws.md 2.4). */
const mostGroups = 100

/**
 * Why the balancer cannot lead to what a plan starts: each type of the web that is new or replaced needs a target group
 * beside those that there are. Pure; null where it can.
 */
export function groupShortage(
  { processes }: Pick<Plan, 'processes'>,
  starting: ReadonlySet<string>,
  rules: readonly FoundRule[],
): RackError | null {
  const used = new Set(rules.flatMap(({ groups }) => groups.map(({ arn }) => arn))).size
  const led = new Set(
    rules
      .filter((rule) => isLive(rule) && rule.groups.length > 0)
      .flatMap(({ conditions }) =>
        conditions.flatMap(({ HostHeaderConfig }) => HostHeaderConfig?.Values ?? []),
      ),
  )
  const needed = processes.filter(
    (each) =>
      each.count > 0 &&
      waysOf(each).some(({ kind }) => kind === 'web') &&
      (starting.has(each.type) || !each.hosts.some((host) => led.has(host))),
  ).length
  if (needed === 0 || used + needed <= mostGroups) return null
  const more = needed === 1 ? 'one more' : `${needed} more`
  return new RackError(
    'capacity',
    `the balancer of the rack leads to ${used} of ${mostGroups} target groups, and this change needs ${more}`,
    {
      hint: 'Each process with an http port takes one, and one more while it is replaced: wait for other deploys (rack apps), or take away what nobody asks for: rack apps delete APP',
    },
  )
}
