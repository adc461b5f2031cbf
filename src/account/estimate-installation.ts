import type { Pricing } from '@aws-sdk/client-pricing'
import { estimateMonth } from '../aws/prices/estimate-month.ts'
import type { Billed } from '../aws/prices/price-list.ts'
import { quantitiesOf } from '../aws/prices/quantities.ts'
import type { Control } from '../domain/control.ts'
import type { Estimate } from '../domain/estimate.ts'
import { placesOfNetwork } from './templates/network.ts'

/** What the stacks of an installation cost a month, and what of its apps is billed by use. */
export async function estimateInstallation(
  prices: Pricing,
  {
    region,
    network,
    templates,
  }: { region: string; network: Parameters<typeof placesOfNetwork>[0]; templates: readonly object[] },
  control: Pick<Control, 'signal'>,
): Promise<Estimate> {
  const { balancerSubnets, assignsPublicIp } = placesOfNetwork(network)
  const quantities = quantitiesOf(templates, { balancerSubnets: balancerSubnets.length, assignsPublicIp })
  const byUse: Billed[] = [
    'fargate-cpu',
    'fargate-memory',
    'secret',
    ...(assignsPublicIp ? (['address'] as const) : []),
  ]
  return await estimateMonth(prices, { region, quantities, byUse, now: new Date() }, control)
}
