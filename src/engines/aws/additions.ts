import type { Control } from '../../domain/control.ts'
import type { Plan } from '../../domain/plan.ts'
import { portsTemplate } from './definition/ports-template.ts'
import { estimateStack } from './estimate-stack.ts'
import type { AwsParts } from './parts.ts'
import { findNetworkBalancer, opensPorts } from './routes/network-balancer.ts'

/** What a deploy of a plan has the account make for all of the rack. */
export async function additionsOf(
  parts: AwsParts,
  plan: Plan,
  control: Pick<Control, 'signal'>,
): Promise<string[]> {
  if (!opensPorts(plan) || (await findNetworkBalancer(parts, control))) return []
  const { rack, places } = parts
  const zones = places.balancerSubnets.length
  const estimate = await estimateStack(parts, portsTemplate(rack, places), control)
  return [
    `the network load balancer of the rack is made, for its first port that is not http: AWS has it paid by the hour, with an address in each of ${zones} zones, until the rack is uninstalled: ${estimate}`,
  ]
}
