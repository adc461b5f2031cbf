import type { AwsPlaces } from '../domain/aws-places.ts'
import { RackError } from '../domain/error.ts'

/** By name, what a stack says of what it made. */
export type Outputs = Record<string, string>

/**
 * The places that a rack's two stacks have made.
 * @throws engine-failed where an output is missing: the images are not built yet, or a stack is of another version
 */
export function placesOf({ base, rack }: { base: Outputs; rack: Outputs }): AwsPlaces {
  const fromBase = (name: string) => outputOf(base, name)
  const fromRack = (name: string) => outputOf(rack, name)
  return {
    region: fromBase('Region'),
    account: fromBase('Account'),
    cluster: fromRack('Cluster'),
    vpc: fromBase('Vpc'),
    subnets: fromBase('Subnets').split(','),
    balancerSubnets: fromBase('BalancerSubnets').split(','),
    securityGroups: {
      processes: fromBase('ProcessesGroup'),
      balancers: fromBase('BalancersGroup'),
      daemon: fromBase('DaemonGroup'),
      web: fromBase('WebGroup'),
      ports: fromBase('PortsGroup'),
    },
    assignsPublicIp: fromBase('AssignsPublicIp') === 'true',
    zone: fromBase('Zone'),
    namespace: fromBase('Namespace'),
    balancer: {
      arn: fromRack('Balancer'),
      host: fromRack('BalancerHost'),
      listeners: { http: fromRack('HttpListener'), https: rack['HttpsListener'] ?? null },
    },
    networkBalancer: rack['NetworkBalancer']
      ? { arn: rack['NetworkBalancer'], host: fromRack('NetworkBalancerHost') }
      : null,
    fileSystem: fromBase('FileSystem'),
    bucket: fromBase('Bucket'),
    buildProject: rack['BuildProject'] ?? null,
    toolImage: fromRack('ToolImage'),
    key: fromBase('Key'),
    roleBoundary: fromRack('RoleBoundary'),
    ...(rack['StackRole'] && { stackRole: rack['StackRole'] }),
  }
}

function outputOf(outputs: Outputs, name: string): string {
  const value = outputs[name]
  if (value) return value
  throw new RackError('engine-failed', `the rack's stacks do not say what ${name} is`, {
    hint: 'Bring them up to date: rack update',
  })
}
