import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { GenerationName } from '../names.ts'

/** Values of conditions that a rule holds (aws.md 2.4). */
const valuesOfRule = 5
const hostsBesideRanges = 2
const mostRules = 4

type Reached = Pick<ProcessPlan, 'type' | 'hosts' | 'routing'>

/** Names, and ranges of who may come, of each rule of a type. Pure. */
function sharesOf({ hosts, routing }: Pick<Reached, 'hosts' | 'routing'>) {
  const ranges = routing.allow?.map(asRange)
  const perRule = ranges ? hostsBesideRanges : valuesOfRule
  const hostGroups = chunks([...hosts].toSorted(), perRule)
  const rangeGroups = ranges
    ? chunks(ranges, valuesOfRule - Math.min(hosts.length, hostsBesideRanges))
    : [null]
  return hostGroups.flatMap((names) => rangeGroups.map((some) => ({ names, some })))
}

/** Why the balancer cannot lead to a type by all its names; null where it can. Pure. */
export function ruleShortage({ type, hosts, routing }: Reached): RackError | null {
  const count = sharesOf({ hosts, routing }).length
  if (count <= mostRules) return null
  const ranges = routing.allow ? ` and ${routing.allow.length} ranges of rack.allow` : ''
  const message = `${type} needs ${count} rules of the balancer for ${hosts.length} names${ranges}, and may have ${mostRules}`
  return new RackError('invalid', message, {
    hint: `Give it fewer names, or larger ranges in rack.allow: a rule has ${valuesOfRule} names, or ${hostsBesideRanges} beside ${valuesOfRule - hostsBesideRanges} ranges.`,
  })
}

/** The conditions of the rules of a type, one list a rule: host names, and who may come. Pure. @throws invalid */
export function conditionsOf(reached: Reached): RuleCondition[][] {
  const shortage = ruleShortage(reached)
  if (shortage) throw shortage
  return sharesOf(reached).map(({ names, some }) => [
    { Field: 'host-header', HostHeaderConfig: { Values: names } },
    ...(some ? [{ Field: 'source-ip', SourceIpConfig: { Values: some } }] : []),
  ])
}

/** An address is a range of one. Pure. */
export function asRange(range: string): string {
  return range.includes('/') ? range : `${range}${range.includes(':') ? '/128' : '/32'}`
}

function chunks<T>(items: T[], size: number): T[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_each, index) => items.slice(index * size, (index + 1) * size))
}

/** The host names that a rule matches. Pure. */
export function hostsOfRule({ conditions }: { conditions: readonly RuleCondition[] }): string[] {
  return conditions.flatMap(({ HostHeaderConfig }) => HostHeaderConfig?.Values ?? [])
}

/** No visitor asks for it: what leads there has its targets checked, and takes no request. */
export function nobodyAsks(generation: GenerationName): RuleCondition[] {
  return [{ Field: 'host-header', HostHeaderConfig: { Values: [`${generation.id.toLowerCase()}.invalid`] } }]
}

/** Conditions in one form: AWS tells values of host names twice. */
export function conditionText(conditions: RuleCondition[]): string {
  const told = conditions.map(({ Field, HostHeaderConfig, SourceIpConfig, Values = [] }) => {
    const values = HostHeaderConfig?.Values ?? SourceIpConfig?.Values ?? Values
    return `${Field} ${values.toSorted().join(' ')}`
  })
  return told.toSorted().join(', ')
}
