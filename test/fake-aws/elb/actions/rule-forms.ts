import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import { isIpRange } from '../../../../src/lib/ip-range.ts'
import { AwsError } from '../../fake-service.ts'
import type { Match, Step } from '../state.ts'

const invalid = (message: string) => new AwsError('ValidationError', message)

/** Values of all conditions of a rule together (D). */
const mostValues = 5
/** Groups of one action (D). */
const mostGroups = 5

/**
 * The conditions of a rule, in the one form that the rack writes.
 * @throws AwsError for those that AWS refuses, and for those that the rack has no use for
 */
export function readConditions(conditions: RuleCondition[]): Match {
  const match: Match = {}
  if (conditions.length === 0) throw invalid('A rule must have at least one condition')
  for (const { Field, Values, HostHeaderConfig, PathPatternConfig, SourceIpConfig, ...rest } of conditions) {
    const unknown = Object.entries(rest).find(([, value]) => value !== undefined)
    if (unknown) throw invalid(`the fake account knows no condition ${unknown[0]}`)
    const configs = {
      'host-header': HostHeaderConfig,
      'path-pattern': PathPatternConfig,
      'source-ip': SourceIpConfig,
    }
    const kinds = { 'host-header': 'hosts', 'path-pattern': 'paths', 'source-ip': 'sources' } as const
    if (!isKind(Field))
      throw invalid(`Condition field '${Field}' must be one of '[${Object.keys(kinds).join(', ')}]'`)
    const values = configs[Field]?.Values ?? (Field === 'source-ip' ? undefined : Values)
    if (!values || values.length === 0) throw invalid('A condition value must be specified')
    if (configs[Field] && Values)
      throw invalid(`You cannot specify both Values and a configuration of '${Field}'`)
    // At most one condition of each of these (D).
    if (match[kinds[Field]]) throw invalid(`A rule can have only one '${Field}' condition`)
    for (const value of values) assertValue(Field, value)
    match[kinds[Field]] = values
  }
  assertLimits(Object.values(match).flat() as string[])
  return match
}

const isKind = (field: string | undefined): field is 'host-header' | 'path-pattern' | 'source-ip' =>
  field === 'host-header' || field === 'path-pattern' || field === 'source-ip'

/** Forms of values are documented (D): a host name has a dot, behind the last of which are letters only. */
function assertValue(field: 'host-header' | 'path-pattern' | 'source-ip', value: string): void {
  if (value.length > 128) throw invalid(`Condition value '${value}' is longer than 128 characters`)
  const isGood = {
    'host-header': () => /^[A-Za-z0-9.*?-]*\.[A-Za-z]+$/.test(value),
    'path-pattern': () => /^[A-Za-z0-9_\-.$/~"'@:+&*?]+$/.test(value),
    'source-ip': () => value.includes('/') && isIpRange(value),
  }[field]
  if (!isGood()) throw invalid(`The value '${value}' of the condition '${field}' is not valid`)
}

function assertLimits(values: string[]): void {
  if (values.length > mostValues) throw invalid(`A rule can have up to ${mostValues} condition values`)
  const wildcards = values.join('').replaceAll(/[^*?]/g, '').length
  if (wildcards > mostValues) throw invalid(`A rule can have up to ${mostValues} wildcards`)
}

/** The one action of a rule. @throws AwsError for those that AWS refuses, and for those that the rack has no use for */
export function readActions(actions: Action[]): Step {
  const [action, ...more] = actions
  if (!action || more.length > 0)
    throw invalid('A rule must have exactly one action of forward, redirect or fixed-response')
  const { Type, Order, TargetGroupArn, ForwardConfig, RedirectConfig, FixedResponseConfig, ...rest } = action
  const unknown = Object.entries(rest).find(([, value]) => value !== undefined)
  if (unknown) throw invalid(`the fake account knows no action ${unknown[0]}`)
  if (Order !== undefined && (Order < 1 || Order > 50_000)) throw invalid('Order must be between 1 and 50000')
  if (Type === 'forward') return readForward({ TargetGroupArn, ForwardConfig })
  if (Type === 'redirect' && RedirectConfig) {
    if (!/^HTTP_30[12]$/.test(RedirectConfig.StatusCode ?? ''))
      throw invalid('StatusCode must be HTTP_301 or HTTP_302')
    return { is: 'redirect', config: RedirectConfig }
  }
  if (Type === 'fixed-response' && FixedResponseConfig) {
    if (!/^[245]\d\d$/.test(FixedResponseConfig.StatusCode ?? ''))
      throw invalid('StatusCode must be 2XX, 4XX or 5XX')
    return { is: 'fixed', config: FixedResponseConfig }
  }
  throw invalid(`The action '${Type}' is not valid, or lacks its configuration`)
}

function readForward({
  TargetGroupArn,
  ForwardConfig,
}: Pick<Action, 'TargetGroupArn' | 'ForwardConfig'>): Step {
  const tuples = ForwardConfig?.TargetGroups ?? [{ TargetGroupArn }]
  if (ForwardConfig?.TargetGroupStickinessConfig?.Enabled)
    throw invalid('the fake account knows no stickiness of groups')
  const groups = tuples.map(({ TargetGroupArn: arn, Weight = 1 }) => {
    if (arn === undefined) throw invalid('A target group ARN must be specified')
    if (!Number.isInteger(Weight) || Weight < 0 || Weight > 999)
      throw invalid('Weight must be between 0 and 999')
    return { arn, weight: Weight }
  })
  // Both ways to name a group may be used only where they say the same (D).
  if (ForwardConfig && TargetGroupArn && (groups.length !== 1 || groups[0]!.arn !== TargetGroupArn)) {
    throw invalid(
      'You can specify both ForwardConfig and TargetGroupArn only for the same single target group',
    )
  }
  if (groups.length === 0 || groups.length > mostGroups) {
    throw new AwsError(
      'TooManyTargetGroupsException',
      `A forward action can have 1 to ${mostGroups} target groups`,
    )
  }
  if (new Set(groups.map(({ arn }) => arn)).size < groups.length)
    throw invalid('Target groups must be unique in an action')
  return { is: 'forward', groups }
}

/** The action as it is told. */
export function actionOf(step: Step): Action {
  if (step.is === 'redirect') return { Type: 'redirect', Order: 1, RedirectConfig: step.config }
  if (step.is === 'fixed') return { Type: 'fixed-response', Order: 1, FixedResponseConfig: step.config }
  const TargetGroups = step.groups.map(({ arn, weight }) => ({ TargetGroupArn: arn, Weight: weight }))
  const ForwardConfig = { TargetGroups, TargetGroupStickinessConfig: { Enabled: false } }
  // The short form is told beside the long one where there is one group (D).
  const [only, ...more] = step.groups
  return { Type: 'forward', Order: 1, ...(more.length === 0 && { TargetGroupArn: only!.arn }), ForwardConfig }
}
