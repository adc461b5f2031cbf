import { networkBalancerResource } from '../../aws/network-balancer.ts'
import { webBalancerResources } from '../../aws/web-balancer.ts'
import { boundaryResources } from './boundary.ts'
import { buildResources } from './builds.ts'
import { apiCertificateParameter, daemonOutputs, daemonParameters, daemonResources } from './daemon.ts'
import { daemonRoles } from './daemon-roles.ts'
import type { InsideInput } from './inside.ts'
import { stoppedResources } from './stopped-tasks.ts'
import { att, ref, tagsOf, type Resources, type Template } from './template.ts'

export interface RackInput {
  rack: string
  /** Whether it has a network balancer from the start; else the first port that is not http has it made. */
  networkBalancer: boolean
  /** Of the rack's repository, once they are built there; until then nothing can run. */
  images: RackImages | null
  /** ARN of ACM's certificate of the rack's domain: with it apps are on 443, and 80 leads there. */
  certificate?: string
  /** ARN of what the account's owner bounds every role by. */
  permissionsBoundary?: string
  /** Of a daemon inside the account; absent where it runs elsewhere. */
  inside?: InsideInput
}

/** References by digest. */
export interface RackImages {
  /** What prepares a task. */
  tool: string
  /** In which apps are built by CodeBuild; null where the daemon's machine builds them. */
  builder: string | null
  /** Of a daemon inside the account; absent where it runs elsewhere. */
  daemon?: string
}

/** What the base stack's outputs give to the rack's, and of a daemon inside whoever imports its certificate. */
export function rackParameters({
  networkBalancer,
  images,
  permissionsBoundary,
  inside,
}: Pick<RackInput, 'networkBalancer' | 'images' | 'permissionsBoundary' | 'inside'>): string[] {
  const ports = networkBalancer ? ['PortsGroup'] : []
  const hasPolicies = permissionsBoundary === undefined || images?.builder != null || inside
  const data = hasPolicies ? ['Bucket', 'Key'] : []
  const ofDaemon = inside ? [apiCertificateParameter, ...daemonParameters] : []
  return ['BalancerSubnets', 'BalancersGroup', 'WebGroup', ...ports, ...data, ...ofDaemon]
}

/** What processes run in and are reached by (aws.md 2.1). Pure. */
export function rackTemplate(input: RackInput): Template {
  const { rack, networkBalancer, images, certificate, permissionsBoundary, inside } = input
  const builder = images?.builder ?? null
  const daemon = inside && { rack, inside, image: images?.daemon ?? null }
  return {
    Description: `The rack ${rack}: where its processes run, and what leads requests to them`,
    Parameters: Object.fromEntries(rackParameters(input).map((name) => [name, { Type: 'String' as const }])),
    Resources: {
      Cluster: {
        Type: 'AWS::ECS::Cluster',
        Properties: {
          ClusterName: rack,
          CapacityProviders: ['FARGATE', 'FARGATE_SPOT'],
          DefaultCapacityProviderStrategy: [{ CapacityProvider: 'FARGATE', Weight: 1 }],
          // Else what goes through a command, files and secrets among it, would go into its app's log too (D).
          Configuration: { ExecuteCommandConfiguration: { Logging: 'NONE' } },
          Tags: tagsOf(rack),
        },
      },
      Repository: {
        Type: 'AWS::ECR::Repository',
        Properties: { RepositoryName: `rack/${rack}`, EmptyOnDelete: true, Tags: tagsOf(rack) },
      },
      ...webResources(rack, { certificate, hasApi: inside !== undefined }),
      ...(networkBalancer && { NetworkBalancer: networkBalancerOf(rack) }),
      ...stoppedResources(rack),
      ...(permissionsBoundary === undefined && boundaryResources(rack)),
      ...(daemon && { ...daemonRoles({ ...daemon, permissionsBoundary }), ...daemonResources(daemon) }),
      ...(builder !== null && buildResources({ rack, builder, permissionsBoundary })),
    },
    Outputs: {
      Cluster: { Value: ref('Cluster') },
      Balancer: { Value: ref('Balancer') },
      BalancerHost: { Value: att('Balancer', 'DNSName') },
      HttpListener: { Value: ref('HttpListener') },
      ...(networkBalancer && {
        NetworkBalancer: { Value: ref('NetworkBalancer') },
        NetworkBalancerHost: { Value: att('NetworkBalancer', 'DNSName') },
      }),
      ...(certificate !== undefined && { HttpsListener: { Value: ref('HttpsListener') } }),
      ...(builder !== null && { BuildProject: { Value: ref('BuildProject') } }),
      Repository: { Value: ref('Repository') },
      RepositoryAddress: { Value: att('Repository', 'RepositoryUri') },
      RoleBoundary: { Value: permissionsBoundary ?? ref('Boundary') },
      ...(images && { ToolImage: { Value: images.tool } }),
      ...(daemon && daemonOutputs(daemon)),
    },
  }
}

const balancerSubnets = { 'Fn::Split': [',', ref('BalancerSubnets')] }

interface WebInput {
  certificate: string | undefined
  /** Whether the API is behind it too, which is on 443 alone, and shows a certificate of its own. */
  hasApi: boolean
}

/** Without names of their own: those are short, and some are AWS's. */
function webResources(rack: string, { certificate, hasApi }: WebInput): Resources {
  const shown = certificate ?? (hasApi ? ref(apiCertificateParameter) : undefined)
  return {
    ...webBalancerResources({
      subnets: balancerSubnets,
      securityGroups: [ref('BalancersGroup'), ref('WebGroup')],
      tags: tagsOf(rack),
      shown,
      isSecure: certificate !== undefined,
    }),
    ...(hasApi &&
      certificate !== undefined && {
        ApiListenerCertificate: {
          Type: 'AWS::ElasticLoadBalancingV2::ListenerCertificate',
          Properties: {
            ListenerArn: ref('HttpsListener'),
            Certificates: [{ CertificateArn: ref(apiCertificateParameter) }],
          },
        },
      }),
  }
}

function networkBalancerOf(rack: string) {
  const securityGroups = [ref('BalancersGroup'), ref('PortsGroup')]
  return networkBalancerResource({ subnets: balancerSubnets, securityGroups, tags: tagsOf(rack) })
}
