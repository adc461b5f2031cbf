import { networkBalancerResource } from '../../../aws/network-balancer.ts'
import type { AwsPlaces } from '../../../domain/aws-places.ts'
import type { Owner } from '../../../domain/owner.ts'
import { shortHash } from '../../../lib/short-hash.ts'
import { ownerWord, tagNames } from '../names.ts'

/** The stack of the balancer that a rack gets with its first port that is not http. Pure. */
export function portsTemplate(
  rack: string,
  { balancerSubnets, securityGroups }: Pick<AwsPlaces, 'balancerSubnets' | 'securityGroups'>,
): object {
  return {
    Description: `Ports of their own of the rack ${rack}`,
    Resources: {
      NetworkBalancer: networkBalancerResource({
        subnets: balancerSubnets,
        securityGroups: [securityGroups.balancers, securityGroups.ports],
        tags: [{ Key: tagNames.rack, Value: rack }],
      }),
    },
    Outputs: {
      NetworkBalancer: { Value: { Ref: 'NetworkBalancer' } },
      NetworkBalancerHost: { Value: { 'Fn::GetAtt': ['NetworkBalancer', 'DNSName'] } },
    },
  }
}

/** Who comes in at a port of the network balancer: a rule of its security group. */
export interface OpenPort {
  protocol: 'tcp' | 'udp'
  port: number
  /** Of IPv4, by its first address. */
  range: string
}

export const keyOf = ({ protocol, port, range }: OpenPort) => `${protocol} ${port} ${range}`

/** The stack of the ports of an app. Pure. */
export function openPortsTemplate({
  rack,
  places,
  owner,
  open,
}: {
  rack: string
  places: Pick<AwsPlaces, 'securityGroups'>
  owner: Owner
  open: readonly OpenPort[]
}): object {
  const rules = open.map((each) => {
    const { protocol, port, range } = each
    const Properties = {
      GroupId: places.securityGroups.ports,
      IpProtocol: protocol,
      FromPort: port,
      ToPort: port,
      CidrIp: range,
    }
    return [`Open${shortHash(keyOf(each))}`, { Type: 'AWS::EC2::SecurityGroupIngress', Properties }] as const
  })
  const ports = [...new Set(open.map(({ port }) => port))]
  return {
    Description: `Who comes in at the ports of ${ownerWord(owner)} of the rack ${rack}`,
    Resources: Object.fromEntries(rules),
    Outputs: { Rules: { Value: String(open.length) }, Ports: { Value: ports.join(',') } },
  }
}
