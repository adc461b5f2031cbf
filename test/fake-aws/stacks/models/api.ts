import type { BalancerMaker } from '../../elb/create-elb.ts'
import { hex, text, texts, type Properties, type ResourceModel } from './model.ts'

/** How requests come to something beside the apps: parts of a balancer that stacks make. Times are guesses (J). */
export function apiModels(balancers: BalancerMaker): Record<string, ResourceModel> {
  return {
    'AWS::ElasticLoadBalancingV2::TargetGroup': targetGroup(balancers),
    'AWS::ElasticLoadBalancingV2::ListenerRule': rule(balancers),
    'AWS::ElasticLoadBalancingV2::ListenerCertificate': listenerCertificates(balancers),
  }
}

function targetGroup(balancers: BalancerMaker): ResourceModel {
  const setAttributes = async (TargetGroupArn: string, Attributes: unknown) => {
    if (Attributes !== undefined)
      await balancers.act('ModifyTargetGroupAttributes', { TargetGroupArn, Attributes })
  }
  return {
    takesMs: 3000,
    named: 'Name',
    async create({ Name, TargetGroupAttributes, ...properties }, generated) {
      // D: what CloudFormation names is cut to 32 characters.
      const name = text(Name) ?? `${generated.slice(0, 13)}-${hex(6)}`
      const { TargetGroups } = (await balancers.act('CreateTargetGroup', { ...properties, Name: name })) as {
        TargetGroups: { TargetGroupArn: string }[]
      }
      const arn = TargetGroups[0]!.TargetGroupArn
      await setAttributes(arn, TargetGroupAttributes)
      return { physical: arn, attributes: { TargetGroupArn: arn, TargetGroupName: name } }
    },
    async update({ physical }, properties) {
      const health = Object.entries(properties).filter(([name]) => /Health|^Matcher$/.test(name))
      await balancers.act('ModifyTargetGroup', { TargetGroupArn: physical, ...Object.fromEntries(health) })
      await setAttributes(physical, properties['TargetGroupAttributes'])
    },
    delete: async ({ physical }) =>
      void (await balancers.act('DeleteTargetGroup', { TargetGroupArn: physical })),
  }
}

function rule(balancers: BalancerMaker): ResourceModel {
  return {
    takesMs: 2000,
    async create(properties) {
      const { Rules } = (await balancers.act('CreateRule', withNumber(properties))) as {
        Rules: { RuleArn: string }[]
      }
      const arn = Rules[0]!.RuleArn
      return { physical: arn, attributes: { RuleArn: arn } }
    },
    async update({ physical }, { Priority, Conditions, Actions }) {
      await balancers.act('ModifyRule', { RuleArn: physical, Conditions, Actions })
      const RulePriorities = [{ RuleArn: physical, Priority: Number(Priority) }]
      await balancers.act('SetRulePriorities', { RulePriorities })
    },
    delete: async ({ physical }) => void (await balancers.act('DeleteRule', { RuleArn: physical })),
  }
}

const withNumber = (properties: Properties) => ({ ...properties, Priority: Number(properties['Priority']) })

/** Of one listener, further ones than its default (D). */
function listenerCertificates(balancers: BalancerMaker): ResourceModel {
  const arnsOf = ({ Certificates }: Properties) =>
    texts(Certificates) as unknown as { CertificateArn: string }[]
  const change = async (verb: 'Add' | 'Remove', { ListenerArn }: Properties, Certificates: object[]) => {
    if (Certificates.length === 0) return
    await balancers.act(`${verb}ListenerCertificates`, { ListenerArn, Certificates })
  }
  const shown = new Map<string, { CertificateArn: string }[]>()
  return {
    takesMs: 3000,
    async create(properties, generated) {
      await change('Add', properties, arnsOf(properties))
      shown.set(generated, arnsOf(properties))
      return { physical: generated, attributes: { Id: generated } }
    },
    async update({ physical }, properties) {
      const [before, after] = [shown.get(physical)!, arnsOf(properties)]
      const without = (some: typeof before, others: typeof before) =>
        some.filter(({ CertificateArn: arn }) => !others.some((each) => each.CertificateArn === arn))
      await change('Add', properties, without(after, before))
      await change('Remove', properties, without(before, after))
      shown.set(physical, after)
    },
    delete: async (_made, properties) => await change('Remove', properties, arnsOf(properties)),
  }
}
