import type {
  CreateRuleInput,
  DescribeRulesInput,
  ModifyRuleInput,
  Rule as RuleTold,
  SetRulePrioritiesInput,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError, type Action } from '../../fake-service.ts'
import { assertLeads } from './leads.ts'
import { listenerOf } from './listener-actions.ts'
import { pageOf } from './page.ts'
import { actionOf, readActions, readConditions } from './rule-forms.ts'
import { rulesOf, type ElbState, type Rule } from '../state.ts'
import { setTags } from './tag-actions.ts'

/** Rules of a balancer, default ones not counted (D). */
const mostRules = 100

export function ruleActions(state: ElbState): Record<string, Action> {
  return {
    CreateRule: async (input: CreateRuleInput) => ({ Rules: [told(create(state, input))] }),
    ModifyRule: async (input: ModifyRuleInput) => ({ Rules: [told(modify(state, input))] }),
    DeleteRule: async ({ RuleArn }: { RuleArn: string }) => remove(state, RuleArn),
    DescribeRules: async (input: DescribeRulesInput) => describe(state, input),
    SetRulePriorities: async (input: SetRulePrioritiesInput) => ({
      Rules: setPriorities(state, input).map((rule) => told(rule)),
    }),
  }
}

function ruleOf(state: ElbState, arn: string): Rule {
  const rule = rulesOf(state).find((rule) => rule.arn === arn)
  if (!rule) throw new AwsError('RuleNotFoundException', 'One or more rules not found')
  return rule
}

function assertPriority(priority: number): void {
  if (Number.isInteger(priority) && priority >= 1 && priority <= 50_000) return
  throw new AwsError('ValidationError', 'Priority must be between 1 and 50000')
}

/** No repeat is known by a token: the same rule again is PriorityInUse (D). */
function create(state: ElbState, input: CreateRuleInput): Rule {
  const listener = listenerOf(state, input.ListenerArn!)
  if (listener.balancer.type !== 'application') {
    throw new AwsError(
      'ValidationError',
      'Rules can be made for listeners of application load balancers only',
    )
  }
  if (input.Transforms) throw new AwsError('ValidationError', 'the fake account knows no transforms')
  const priority = input.Priority!
  assertPriority(priority)
  const match = readConditions(input.Conditions!)
  const step = readActions(input.Actions!)
  if ([...listener.rules.values()].some((rule) => rule.priority === priority)) {
    throw new AwsError('PriorityInUseException', `Priority '${priority}' is currently in use`)
  }
  const own = rulesOf(state).filter((rule) => rule.listener.balancer === listener.balancer)
  if (own.filter((rule) => rule.priority !== Infinity).length >= mostRules) {
    throw new AwsError(
      'TooManyRulesException',
      `The maximum number of rules on load balancer '${listener.balancer.arn}' has been reached`,
    )
  }
  assertLeads(state, listener.balancer, step)
  const serial = state.nextSerial()
  const arn = `${listener.arn.replace(':listener/', ':listener-rule/')}/${serial.toString(16).padStart(16, '0')}`
  const rule: Rule = { arn, serial, listener, priority, match, step, conditions: input.Conditions! }
  setTags(state, arn, input.Tags)
  listener.rules.set(arn, rule)
  listener.door.refresh()
  return rule
}

/** What is not given stays (D). */
function modify(state: ElbState, input: ModifyRuleInput): Rule {
  const rule = ruleOf(state, input.RuleArn!)
  assertNoDefault(rule)
  if (input.Transforms ?? input.ResetTransforms)
    throw new AwsError('ValidationError', 'the fake account knows no transforms')
  const match = input.Conditions ? readConditions(input.Conditions) : rule.match
  const step = input.Actions ? readActions(input.Actions) : rule.step
  assertLeads(state, rule.listener.balancer, step, rule)
  Object.assign(rule, { match, step, conditions: input.Conditions ?? rule.conditions })
  rule.listener.door.refresh()
  return rule
}

function assertNoDefault({ priority, arn }: Rule): void {
  if (priority === Infinity)
    throw new AwsError(
      'OperationNotPermittedException',
      `Default rule '${arn}' cannot be modified or deleted`,
    )
}

function remove(state: ElbState, arn: string): object {
  const rule = ruleOf(state, arn)
  assertNoDefault(rule)
  rule.listener.rules.delete(arn)
  state.tags.delete(arn)
  rule.listener.door.refresh()
  return {}
}

/** All in one change or none: two rules may take each other's places (D). */
function setPriorities(state: ElbState, { RulePriorities = [] }: SetRulePrioritiesInput): Rule[] {
  const wanted = new Map<Rule, number>()
  for (const { RuleArn = '', Priority = 0 } of RulePriorities) {
    const rule = ruleOf(state, RuleArn)
    assertNoDefault(rule)
    assertPriority(Priority)
    if (wanted.has(rule))
      throw new AwsError('ValidationError', `Rule '${RuleArn}' is specified more than once`)
    wanted.set(rule, Priority)
  }
  const listeners = new Set([...wanted.keys()].map(({ listener }) => listener))
  if (listeners.size !== 1) throw new AwsError('ValidationError', 'Rules must be of one listener')
  const [listener] = listeners
  const priorities = [...listener!.rules.values()].map((rule) => wanted.get(rule) ?? rule.priority)
  const twice = priorities.find((priority, at) => priorities.indexOf(priority) !== at)
  if (twice !== undefined)
    throw new AwsError('PriorityInUseException', `Priority '${twice}' is currently in use`)
  for (const [rule, priority] of wanted) rule.priority = priority
  listener!.door.refresh()
  return [...wanted.keys()]
}

function describe(state: ElbState, input: DescribeRulesInput): object {
  const { ListenerArn, RuleArns } = input
  if ((ListenerArn === undefined) === (RuleArns === undefined)) {
    throw new AwsError('ValidationError', 'Either a listener or rules must be specified')
  }
  const rules = RuleArns?.map((arn) => ruleOf(state, arn)) ?? [
    ...listenerOf(state, ListenerArn!).rules.values(),
  ]
  const { page, ...marker } = pageOf(rules, input)
  return { Rules: page.map(told), ...marker }
}

/** A condition is told in the short form and in the long one (D). */
function told({ arn, priority, conditions, step }: Rule): RuleTold {
  const isDefault = priority === Infinity
  return {
    RuleArn: arn,
    Priority: isDefault ? 'default' : String(priority),
    Conditions: conditions.map(({ Field, Values, HostHeaderConfig, PathPatternConfig, SourceIpConfig }) => {
      if (Field === 'source-ip') return { Field, SourceIpConfig }
      const values = Values ?? HostHeaderConfig?.Values ?? PathPatternConfig?.Values
      const config = Field === 'host-header' ? 'HostHeaderConfig' : 'PathPatternConfig'
      return { Field, Values: values, [config]: { Values: values } }
    }),
    Actions: [actionOf(step)],
    IsDefault: isDefault,
  }
}
