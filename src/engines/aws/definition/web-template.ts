import { webBalancerPrefix, webBalancerResources } from '../../../aws/web-balancer.ts'
import type { AwsPlaces } from '../../../domain/aws-places.ts'
import { tagNames } from '../names.ts'

interface WebTemplateInput {
  rack: string
  number: number
  places: Pick<AwsPlaces, 'balancerSubnets' | 'securityGroups'>
  /** ARN of that of the rack's domain; null where it has none. */
  certificate: string | null
}

/** The stack of a load balancer that takes apps of which the rack's own has no room for target groups. Pure. */
export function webTemplate({ rack, number, places, certificate }: WebTemplateInput): object {
  const { balancers, web } = places.securityGroups
  return {
    Description: `Further requests of the web of the rack ${rack}`,
    Resources: webBalancerResources({
      name: `${webBalancerPrefix(rack)}${number}`,
      subnets: places.balancerSubnets,
      securityGroups: [balancers, web],
      tags: [{ Key: tagNames.rack, Value: rack }],
      shown: certificate ?? undefined,
      isSecure: certificate !== null,
    }),
    Outputs: {
      Balancer: { Value: { Ref: 'Balancer' } },
      BalancerHost: { Value: { 'Fn::GetAtt': ['Balancer', 'DNSName'] } },
      HttpListener: { Value: { Ref: 'HttpListener' } },
      ...(certificate !== null && { HttpsListener: { Value: { Ref: 'HttpsListener' } } }),
    },
  }
}
