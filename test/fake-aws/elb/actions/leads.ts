import { AwsError } from '../../fake-service.ts'
import {
  balancersOf,
  groupsOf,
  isOfNetwork,
  rulesOf,
  type Balancer,
  type ElbState,
  type Rule,
  type Step,
} from '../state.ts'

/** Groups that the rules of an application balancer lead to; not adjustable (D). */
const mostGroups = 100

/**
 * That a balancer may lead so: the groups are there, of its kind, no other balancer's, and not too many.
 * @param instead whose step this one is to replace
 * @throws AwsError
 */
export function assertLeads(state: ElbState, balancer: Balancer, step: Step, instead?: Rule): void {
  if (balancer.type === 'network' && (step.is !== 'forward' || step.groups.length > 1)) {
    throw new AwsError(
      'InvalidLoadBalancerActionException',
      'A network load balancer forwards to one target group',
    )
  }
  if (step.is !== 'forward') return
  for (const { arn } of step.groups) assertGroup(state, balancer, arn)
  const others = rulesOf(state).filter((rule) => rule.listener.balancer === balancer && rule !== instead)
  const unique = new Set([...others.flatMap(groupsOf), ...step.groups].map(({ arn }) => arn))
  if (unique.size > mostGroups) {
    throw new AwsError(
      'TooManyUniqueTargetGroupsPerLoadBalancerException',
      `A load balancer can lead to ${mostGroups} target groups`,
    )
  }
}

function assertGroup(state: ElbState, balancer: Balancer, arn: string): void {
  const group = state.groups.get(arn)
  if (!group) throw new AwsError('TargetGroupNotFoundException', `Target group '${arn}' not found`)
  if (isOfNetwork(group) !== (balancer.type === 'network')) {
    throw new AwsError(
      'IncompatibleProtocolsException',
      `Target group '${arn}' of protocol ${group.protocol} fits no ${balancer.type} load balancer`,
    )
  }
  // A group belongs to one balancer (D).
  if (balancersOf(state, arn).some((other) => other !== balancer)) {
    throw new AwsError(
      'TargetGroupAssociationLimitException',
      `Target group '${arn}' is associated with another load balancer`,
    )
  }
}
