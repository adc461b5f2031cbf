import { assertOwnStack, isOwnStack } from '../../../aws/own-stack.ts'
import { describeStack, isWhole, outputsOf } from '../../../aws/stack-state.ts'
import { ensureStack, removeStack } from '../../../aws/stacks.ts'
import { portsStackName, type AwsPlaces } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { tellDrift } from '../deploy/drift.ts'
import { portsTemplate } from '../definition/ports-template.ts'
import { awsTags } from '../names.ts'
import { ownStackOptions } from '../own-stacks.ts'
import type { AwsParts } from '../parts.ts'
import { isBalancerThere } from './balancer-there.ts'

/** Answers on ports of their own. */
type NetworkBalancer = NonNullable<AwsPlaces['networkBalancer']>

type Parts = Pick<AwsParts, 'clients' | 'rack' | 'places' | 'network' | 'intervals'>

interface Looking extends Omit<Parts, 'network'> {
  network: Pick<AwsParts['network'], 'balancer'>
}

/** What a rack has of it. */
export interface BalancerLook {
  /** Null before there is one. */
  balancer: NetworkBalancer | null
  /** One that somebody has deleted, though what has made it stands. */
  lost: NetworkBalancer | null
}

/** Looks for the one that the rack was installed with, or has had made since. */
export async function lookForBalancer(
  parts: Looking,
  control: Pick<Control, 'signal'>,
): Promise<BalancerLook> {
  const { rack, network, places } = parts
  if (network.balancer !== undefined) return { balancer: network.balancer, lost: null }
  const stack = await describeStack(ownStackOptions(parts), portsStackName(rack), control)
  const isOwn = stack !== null && isOwnStack(rack, stack)
  const told = isOwn && isWhole(stack) ? balancerOf(outputsOf(stack)) : null
  // That of the stack is the later one: it has taken the place of one that is lost.
  const known = [told, places.networkBalancer].filter((each) => each !== null)
  for (const balancer of known) {
    if (!(await isBalancerThere(parts, balancer, control))) continue
    network.balancer = balancer
    return { balancer, lost: null }
  }
  const [lost = null] = known
  // One that a daemon before has begun to make is there soon.
  if (lost === null && !isOwn) network.balancer = null
  return { balancer: null, lost }
}

/** Null before there is one, and when somebody has deleted it. */
export async function findNetworkBalancer(
  parts: Parts,
  control: Pick<Control, 'signal'>,
): Promise<NetworkBalancer | null> {
  return (await lookForBalancer(parts, control)).balancer
}

/**
 * Makes it where there is none; a stack that a daemon before has begun is waited for, and one whose balancer somebody has
 * deleted goes first, since CloudFormation would leave it so. Safe to repeat.
 */
export async function makeNetworkBalancer(parts: Parts, control: Control): Promise<NetworkBalancer> {
  const { rack, places, network } = parts
  using _turn = await network.turn.acquire(control.signal)
  const { balancer, lost } = await lookForBalancer(parts, control)
  if (balancer) return balancer
  const options = ownStackOptions(parts)
  const wanted = {
    name: portsStackName(rack),
    template: portsTemplate(rack, places),
    tags: awsTags({ rack }),
  }
  const there = await describeStack(options, wanted.name, control)
  if (there) assertOwnStack(rack, there, 'Install the rack with its balancer: --ports')
  if (lost) {
    tellDrift(control, `${lostBalancer(lost)}: another one is made`)
    // One that is being made is not that of the lost one.
    if (isWhole(there)) await removeStack(options, wanted.name, control)
  }
  const made = balancerOf(await ensureStack(options, wanted, control))
  network.balancer = made
  if (lost) {
    const text = `the network load balancer is at ${made.host} from now on: change the records that lead to ${lost.host}`
    tellDrift(control, text)
  }
  return made
}

/** The beginning of a sentence. Pure. */
export const lostBalancer = ({ host }: NetworkBalancer) =>
  `somebody has deleted the network load balancer ${host}`

/** Whether a plan has ports that it answers on. Pure. */
export function opensPorts({ processes }: Pick<Plan, 'processes'>): boolean {
  return processes.some((each) => each.count > 0 && waysOf(each).some(({ kind }) => kind === 'raw'))
}

function balancerOf({ NetworkBalancer = '', NetworkBalancerHost = '' }: Record<string, string>) {
  return { arn: NetworkBalancer, host: NetworkBalancerHost }
}
