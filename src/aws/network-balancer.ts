/** A network load balancer that the internet reaches, as a resource of a template. Pure. */
export function networkBalancerResource({
  subnets,
  securityGroups,
  tags,
}: {
  /** Ids, or what gives them. */
  subnets: unknown
  securityGroups: unknown[]
  tags: { Key: string; Value: string }[]
}) {
  return {
    Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    Properties: {
      Type: 'network',
      Scheme: 'internet-facing',
      Subnets: subnets,
      SecurityGroups: securityGroups,
      LoadBalancerAttributes: [{ Key: 'load_balancing.cross_zone.enabled', Value: 'true' }],
      Tags: tags,
    },
  }
}
