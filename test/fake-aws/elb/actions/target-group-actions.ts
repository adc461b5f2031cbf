import { isDeepStrictEqual } from 'node:util'
import type {
  CreateTargetGroupInput,
  DescribeTargetGroupsInput,
  DescribeTargetHealthInput,
  ModifyTargetGroupAttributesInput,
  ModifyTargetGroupInput,
  TargetGroup,
  TargetHealth,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError, type Action } from '../../fake-service.ts'
import { initialAttributes, assertAttribute, readGroup, readHealth } from './group-settings.ts'
import { GroupTargets, keyOf, type Member } from '../traffic/group-targets.ts'
import { pageOf } from './page.ts'
import { balancersOf, isOfNetwork, type ElbState, type Group } from '../state.ts'
import { setTags } from './tag-actions.ts'

function groupOf(state: ElbState, arn: string): Group {
  const group = state.groups.get(arn)
  if (!group) throw new AwsError('TargetGroupNotFoundException', `One or more target groups not found`)
  return group
}

export function targetGroupActions(state: ElbState): Record<string, Action> {
  return {
    CreateTargetGroup: async (input: CreateTargetGroupInput) => ({
      TargetGroups: [told(state, create(state, input))],
    }),
    ModifyTargetGroup: async (input: ModifyTargetGroupInput) => {
      const group = groupOf(state, input.TargetGroupArn!)
      group.health = readHealth(input, group.protocol, group.health)
      return { TargetGroups: [told(state, group)] }
    },
    ModifyTargetGroupAttributes: async (input: ModifyTargetGroupAttributesInput) =>
      modifyAttributes(state, input),
    DescribeTargetGroupAttributes: async ({ TargetGroupArn }: { TargetGroupArn: string }) => ({
      Attributes: attributesOf(groupOf(state, TargetGroupArn)),
    }),
    DescribeTargetGroups: async (input: DescribeTargetGroupsInput) => describe(state, input),
    DescribeTargetHealth: async (input: DescribeTargetHealthInput) => describeHealth(state, input),
    DeleteTargetGroup: async ({ TargetGroupArn }: { TargetGroupArn: string }) =>
      remove(state, TargetGroupArn),
  }
}

/** A repeat with the same settings gives the same group, with other ones it is refused (D). */
function create(state: ElbState, input: CreateTargetGroupInput): Group {
  const settings = readGroup(input)
  if (settings.vpcId !== state.vpcId)
    throw new AwsError('ValidationError', `The VPC ID '${settings.vpcId}' is not found`)
  const there = [...state.groups.values()].find(({ name }) => name === settings.name)
  if (there) {
    const { name, protocol, port, vpcId, health } = there
    if (isDeepStrictEqual({ name, protocol, port, vpcId, health }, settings)) return there
    throw new AwsError(
      'DuplicateTargetGroupNameException',
      `A target group with the same name '${name}' exists, but with different settings`,
    )
  }
  const serial = state.nextSerial()
  const { region, account } = state.account
  const arn = `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/${settings.name}/${serial.toString(16).padStart(16, '0')}`
  const targets = new GroupTargets({
    account: state.account,
    group: () => group,
    isUsed: () => balancersOf(state, arn).length > 0,
  })
  const group: Group = { ...settings, arn, serial, attributes: initialAttributes(settings.protocol), targets }
  setTags(state, arn, input.Tags)
  state.groups.set(arn, group)
  return group
}

function modifyAttributes(
  state: ElbState,
  { TargetGroupArn, Attributes = [] }: ModifyTargetGroupAttributesInput,
): object {
  const group = groupOf(state, TargetGroupArn!)
  for (const { Key = '', Value = '' } of Attributes) assertAttribute(group.protocol, Key, Value)
  for (const { Key = '', Value = '' } of Attributes) group.attributes.set(Key, Value)
  return { Attributes: attributesOf(group) }
}

const attributesOf = ({ attributes }: Group) => [...attributes].map(([Key, Value]) => ({ Key, Value }))

/** D: reports from 2019-06-28 on. */
const mostDescribed = 20

function describe(state: ElbState, input: DescribeTargetGroupsInput): object {
  const { LoadBalancerArn, TargetGroupArns, Names } = input
  const { page, ...marker } = pageOf(wanted(state, { LoadBalancerArn, TargetGroupArns, Names }), input)
  return { TargetGroups: page.map((group) => told(state, group)), ...marker }
}

function wanted(
  state: ElbState,
  { LoadBalancerArn, TargetGroupArns, Names }: DescribeTargetGroupsInput,
): Group[] {
  if ([LoadBalancerArn, TargetGroupArns, Names].filter((choice) => choice !== undefined).length > 1) {
    throw new AwsError(
      'ValidationError',
      'Only one of a load balancer, target groups and names can be specified',
    )
  }
  if (TargetGroupArns && TargetGroupArns.length > mostDescribed)
    throw new AwsError(
      'ValidationError',
      `You cannot describe more than '${mostDescribed}' target groups at a time`,
    )
  if (TargetGroupArns) return TargetGroupArns.map((arn) => groupOf(state, arn))
  const all = [...state.groups.values()]
  if (LoadBalancerArn) {
    if (!state.balancers.has(LoadBalancerArn))
      throw new AwsError('LoadBalancerNotFoundException', 'One or more load balancers not found')
    return all.filter(({ arn }) =>
      balancersOf(state, arn).some((balancer) => balancer.arn === LoadBalancerArn),
    )
  }
  if (!Names) return all
  const named = all.filter(({ name }) => Names.includes(name))
  // One that is not there refuses them all (D).
  if (named.length < new Set(Names).size)
    throw new AwsError('TargetGroupNotFoundException', 'One or more target groups not found')
  return named
}

function told(state: ElbState, group: Group): TargetGroup {
  const { arn, name, protocol, port, vpcId, health } = group
  return {
    TargetGroupArn: arn,
    TargetGroupName: name,
    Protocol: protocol,
    Port: port,
    VpcId: vpcId,
    HealthCheckProtocol: health.protocol,
    HealthCheckPort: health.port,
    HealthCheckEnabled: true,
    HealthCheckIntervalSeconds: health.intervalSeconds,
    HealthCheckTimeoutSeconds: health.timeoutSeconds,
    HealthyThresholdCount: health.healthyThreshold,
    UnhealthyThresholdCount: health.unhealthyThreshold,
    ...(health.protocol !== 'TCP' && { HealthCheckPath: health.path, Matcher: { HttpCode: health.matcher } }),
    LoadBalancerArns: balancersOf(state, arn).map((balancer) => balancer.arn),
    TargetType: 'ip',
    ...(!isOfNetwork(group) && { ProtocolVersion: 'HTTP1' }),
    IpAddressType: 'ipv4',
  }
}

function describeHealth(
  state: ElbState,
  { TargetGroupArn, Targets, Include }: DescribeTargetHealthInput,
): object {
  const group = groupOf(state, TargetGroupArn!)
  if (Include) throw new AwsError('ValidationError', 'the fake account includes nothing else')
  const members = [...group.targets.members]
  const isUsed = balancersOf(state, group.arn).length > 0
  const tell = (member: Member) => ({
    Target: { Id: member.target.address, Port: member.target.port },
    HealthCheckPort: group.health.port === 'traffic-port' ? String(member.target.port) : group.health.port,
    TargetHealth: healthOf(member, isUsed),
  })
  if (!Targets) return { TargetHealthDescriptions: members.map(tell) }
  return {
    TargetHealthDescriptions: Targets.map(({ Id = '', Port = group.port }) => {
      const member = members.find(({ target }) => keyOf(target) === keyOf({ address: Id, port: Port }))
      const TargetHealth = {
        State: 'unused',
        Reason: 'Target.NotRegistered',
        Description: 'Target is not registered to the target group',
      }
      return member ? tell(member) : { Target: { Id, Port }, TargetHealth }
    }),
  }
}

/** Words are those of the API reference (D). */
function healthOf({ state, last }: Member, isUsed: boolean): TargetHealth {
  if (!isUsed) {
    const Description = 'Target group is not configured to receive traffic from the load balancer'
    return { State: 'unused', Reason: 'Target.NotInUse', Description }
  }
  if (state === 'healthy') return { State: 'healthy' }
  if (state === 'draining') {
    const Description = 'Target deregistration is in progress'
    return { State: 'draining', Reason: 'Target.DeregistrationInProgress', Description }
  }
  if (state === 'unhealthy') {
    return { State: 'unhealthy', Reason: last?.reason, Description: last?.description }
  }
  if (!last) {
    return {
      State: 'initial',
      Reason: 'Elb.RegistrationInProgress',
      Description: 'Target registration is in progress',
    }
  }
  return {
    State: 'initial',
    Reason: 'Elb.InitialHealthChecking',
    Description: 'Initial health checks in progress',
  }
}

/** Refused while a rule or a listener leads to it (D); one that is not there is refused too (J). */
function remove(state: ElbState, arn: string): object {
  const group = groupOf(state, arn)
  if (balancersOf(state, arn).length > 0) {
    throw new AwsError(
      'ResourceInUseException',
      `Target group '${arn}' is currently in use by a listener or a rule`,
    )
  }
  group.targets.retire()
  state.groups.delete(arn)
  state.tags.delete(arn)
  return {}
}
