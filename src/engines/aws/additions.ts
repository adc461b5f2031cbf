import type { Control } from '../../domain/control.ts'
import type { Plan } from '../../domain/plan.ts'
import { portsTemplate } from './definition/ports-template.ts'
import { webTemplate } from './definition/web-template.ts'
import { estimateStack } from './estimate-stack.ts'
import type { AwsParts } from './parts.ts'
import { lookForBalancer, lostBalancer, opensPorts } from './routes/network-balancer.ts'
import { lackedBalancer } from './web/choose-balancer.ts'

/** What a deploy of a plan has the account make for all of the rack. */
export async function additionsOf(
  parts: AwsParts,
  plan: Plan,
  control: Pick<Control, 'signal'>,
): Promise<string[]> {
  const found = [await ofPorts(parts, plan, control), await ofWeb(parts, plan, control)]
  return found.filter((each) => each !== null)
}

async function ofPorts(
  parts: AwsParts,
  plan: Plan,
  control: Pick<Control, 'signal'>,
): Promise<string | null> {
  if (!opensPorts(plan)) return null
  const { balancer, lost } = await lookForBalancer(parts, control)
  if (balancer) return null
  const { rack, places } = parts
  const what = lost
    ? `${lostBalancer(lost)}: another one is made, with another address`
    : 'the network load balancer of the rack is made, for its first port that is not http'
  return await paid(parts, { what, template: portsTemplate(rack, places) }, control)
}

async function ofWeb(parts: AwsParts, plan: Plan, control: Pick<Control, 'signal'>): Promise<string | null> {
  const lacked = await lackedBalancer(parts, plan, control)
  if (!lacked) return null
  const { rack, places } = parts
  const { number, isLost } = lacked
  const what = isLost
    ? `somebody has deleted the load balancer ${number} of the rack: another one is made, with another address`
    : 'a further load balancer for the web is made, since there is no room for the app behind those of the rack'
  const template = webTemplate({ rack, number, places, certificate: null })
  return await paid(parts, { what, template }, control)
}

async function paid(
  parts: AwsParts,
  { what, template }: { what: string; template: object },
  control: Pick<Control, 'signal'>,
): Promise<string> {
  const zones = parts.places.balancerSubnets.length
  const estimate = await estimateStack(parts, template, control)
  return `${what}: AWS has it paid by the hour, with an address in each of ${zones} zones, until the rack is uninstalled: ${estimate}`
}
