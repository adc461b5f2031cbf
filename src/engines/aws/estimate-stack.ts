import { estimateMonth } from '../../aws/prices/estimate-month.ts'
import { quantitiesOf } from '../../aws/prices/quantities.ts'
import type { Control } from '../../domain/control.ts'
import { estimateText } from '../../domain/estimate.ts'
import type { AwsParts } from './parts.ts'

/** What a stack costs for being there, as a sentence: by the price list of this moment, or that it does not say. */
export async function estimateStack(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  template: object,
  control: Pick<Control, 'signal'>,
): Promise<string> {
  const { region, balancerSubnets, assignsPublicIp } = places
  const quantities = quantitiesOf([template], { balancerSubnets: balancerSubnets.length, assignsPublicIp })
  const asked = { region, quantities, byUse: [], now: new Date() }
  return estimateText(await estimateMonth(clients.prices, asked, control))
}
