import type { Control } from '../../domain/control.ts'
import type { Plan } from '../../domain/plan.ts'
import { portsTemplate } from './definition/ports-template.ts'
import { estimateStack } from './estimate-stack.ts'
import type { AwsParts } from './parts.ts'
import { lookForBalancer, lostBalancer, opensPorts } from './routes/network-balancer.ts'

/** What a deploy of a plan has the account make for all of the rack. */
export async function additionsOf(
  parts: AwsParts,
  plan: Plan,
  control: Pick<Control, 'signal'>,
): Promise<string[]> {
  if (!opensPorts(plan)) return []
  const { balancer, lost } = await lookForBalancer(parts, control)
  if (balancer) return []
  const { rack, places } = parts
  const zones = places.balancerSubnets.length
  const estimate = await estimateStack(parts, portsTemplate(rack, places), control)
  const what = lost
    ? `${lostBalancer(lost)}: another one is made, with another address`
    : 'the network load balancer of the rack is made, for its first port that is not http'
  return [
    `${what}: AWS has it paid by the hour, with an address in each of ${zones} zones, until the rack is uninstalled: ${estimate}`,
  ]
}
