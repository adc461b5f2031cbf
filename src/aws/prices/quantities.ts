import type { Quantity } from './estimate-month.ts'
import type { Billed } from './price-list.ts'

interface Resource {
  Type: string
  Properties?: Record<string, unknown>
}

/** What templates do not say by themselves. */
interface Place {
  balancerSubnets: number
  /** Whether each task has a public address. */
  assignsPublicIp: boolean
}

/**
 * What of templates is billed for being there, counted. A balancer that the internet reaches has an address in each of its
 * subnets. Pure.
 */
export function quantitiesOf(templates: readonly object[], place: Place): Quantity[] {
  const counts = new Map<Billed, number>()
  for (const template of templates) {
    const { Resources = {} } = template as { Resources?: Record<string, Resource> }
    for (const resource of Object.values(Resources))
      for (const [of, count] of billedOf(resource, place)) counts.set(of, (counts.get(of) ?? 0) + count)
  }
  return [...counts].map(([of, count]) => ({ of, count }))
}

function billedOf({ Type, Properties = {} }: Resource, place: Place): [Billed, number][] {
  switch (Type) {
    case 'AWS::ElasticLoadBalancingV2::LoadBalancer':
      return balancerOf(Properties, place.balancerSubnets)
    case 'AWS::EC2::NatGateway':
      return [['nat', 1]]
    case 'AWS::EC2::EIP':
      return [['address', 1]]
    case 'AWS::KMS::Key':
      return [['key', 1]]
    case 'AWS::Route53::HostedZone':
    case 'AWS::ServiceDiscovery::PrivateDnsNamespace':
      return [['zone', 1]]
    case 'AWS::SecretsManager::Secret':
      return [['secret', 1]]
    case 'AWS::RDS::DBInstance': {
      const { Engine, DBInstanceClass, AllocatedStorage } = Properties
      return [
        [`database ${String(Engine)} ${String(DBInstanceClass)}`, 1],
        [`database-disk ${String(Engine)}`, Number(AllocatedStorage)],
      ]
    }
    case 'AWS::ElastiCache::ReplicationGroup':
    case 'AWS::ElastiCache::CacheCluster': {
      const { Engine, CacheNodeType, NumCacheClusters, NumCacheNodes } = Properties
      return [[`cache ${String(Engine)} ${String(CacheNodeType)}`, Number(NumCacheClusters ?? NumCacheNodes)]]
    }
    case 'AWS::ECS::TaskDefinition':
      // The daemon's: its service has one of it.
      return [
        ['fargate-cpu', Number(Properties['Cpu']) / 1024],
        ['fargate-memory', Number(Properties['Memory']) / 1024],
        ...(place.assignsPublicIp ? ([['address', 1]] satisfies [Billed, number][]) : []),
      ]
    default:
      return []
  }
}

function balancerOf({ Type, Scheme }: Record<string, unknown>, subnets: number): [Billed, number][] {
  const balancer: [Billed, number] = [Type === 'network' ? 'network-balancer' : 'application-balancer', 1]
  return Scheme === 'internal' ? [balancer] : [balancer, ['address', subnets]]
}
