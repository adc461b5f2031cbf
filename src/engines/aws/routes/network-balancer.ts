import { assertOwnStack, isOwnStack } from '../../../aws/own-stack.ts'
import { describeStack, isWhole, outputsOf } from '../../../aws/stack-state.ts'
import { ensureStack } from '../../../aws/stacks.ts'
import { portsStackName, type AwsPlaces } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { portsTemplate } from '../definition/ports-template.ts'
import { awsTags } from '../names.ts'
import { ownStackOptions } from '../own-stacks.ts'
import type { AwsParts } from '../parts.ts'

/** Answers on ports of their own. */
type NetworkBalancer = NonNullable<AwsPlaces['networkBalancer']>

type Parts = Pick<AwsParts, 'clients' | 'rack' | 'places' | 'network' | 'intervals'>

/** The one that the rack was installed with, or has had made since; null before there is one. */
export async function findNetworkBalancer(
  parts: Parts,
  control: Pick<Control, 'signal'>,
): Promise<NetworkBalancer | null> {
  const { rack, network } = parts
  if (network.balancer !== undefined) return network.balancer
  const options = ownStackOptions(parts)
  const stack = await describeStack(options, portsStackName(rack), control)
  const isOwn = stack !== null && isOwnStack(rack, stack)
  const found = isOwn && isWhole(stack) ? balancerOf(outputsOf(stack)) : null
  // One that a daemon before has begun to make is there soon.
  if (found ?? !isOwn) network.balancer = found
  return found
}

/** Makes it where there is none; a stack that a daemon before has begun is waited for. Safe to repeat. */
export async function makeNetworkBalancer(
  parts: Parts,
  control: Pick<Control, 'signal'>,
): Promise<NetworkBalancer> {
  const { rack, places, network } = parts
  using _turn = await network.turn.acquire(control.signal)
  if (network.balancer) return network.balancer
  const options = ownStackOptions(parts)
  const wanted = {
    name: portsStackName(rack),
    template: portsTemplate(rack, places),
    tags: awsTags({ rack }),
  }
  const there = await describeStack(options, wanted.name, control)
  if (there) assertOwnStack(rack, there, 'Install the rack with its balancer: --ports')
  const made = balancerOf(await ensureStack(options, wanted, control))
  network.balancer = made
  return made
}

/** Whether a plan has ports that it answers on. Pure. */
export function opensPorts({ processes }: Pick<Plan, 'processes'>): boolean {
  return processes.some((each) => each.count > 0 && waysOf(each).some(({ kind }) => kind === 'raw'))
}

function balancerOf({ NetworkBalancer = '', NetworkBalancerHost = '' }: Record<string, string>) {
  return { arn: NetworkBalancer, host: NetworkBalancerHost }
}
