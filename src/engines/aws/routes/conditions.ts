import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { GenerationName } from '../names.ts'

/** Values of conditions that a rule holds (aws.md 2.4). */
const valuesOfRule = 5
const hostsBesideRanges = 2
const mostRules = 4

/** The conditions of the rules of a type, one list a rule: host names, and who may come. Pure. @throws invalid */
export function conditionsOf({
  type,
  hosts,
  routing,
}: Pick<ProcessPlan, 'type' | 'hosts' | 'routing'>): RuleCondition[][] {
  const ranges = routing.allow?.map(asRange)
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

/** An address is a range of one. Pure. */
export function asRange(range: string): string {
  return range.includes('/') ? range : `${range}${range.includes(':') ? '/128' : '/32'}`
}

function chunks<T>(items: T[], size: number): T[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_each, index) => items.slice(index * size, (index + 1) * size))
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
