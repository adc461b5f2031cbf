import type { Pricing } from '@aws-sdk/client-pricing'
import { estimateMonth } from '../aws/prices/estimate-month.ts'
import type { Billed } from '../aws/prices/price-list.ts'
import { quantitiesOf } from '../aws/prices/quantities.ts'
import type { Control } from '../domain/control.ts'
import type { Estimate } from '../domain/estimate.ts'
import { placesOfNetwork } from './templates/network.ts'

/** It asks for many prices, and a person looks at the answer before all else. */
const deadlineMs = 30_000

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
  const asked = { region, quantities, byUse, now: new Date(), deadlineMs }
  return await estimateMonth(prices, asked, control)
}
