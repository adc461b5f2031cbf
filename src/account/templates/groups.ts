import { apiPort } from './inside.ts'
import type { NetworkPlaces } from './network.ts'
import { att, tagsOf, type Resources } from './template.ts'

/** Where a daemon inside the network answers, reached by the balancers alone. */
export function daemonDoor(): Resources {
  return {
    DaemonDoor: {
      Type: 'AWS::EC2::SecurityGroupIngress',
      Properties: {
        GroupId: att('Daemon', 'GroupId'),
        SourceSecurityGroupId: att('Balancers', 'GroupId'),
        IpProtocol: 'tcp',
        FromPort: apiPort,
        ToPort: apiPort,
      },
    },
  }
}

const everywhere = (port: number) => [
  { IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIp: '0.0.0.0/0' },
  { IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIpv6: '::/0' },
]

/**
 * Security groups: three say who somebody is (a process, a balancer, the daemon), the others say what is open.
 * @param daemonFrom ranges of addresses from which a daemon outside the network reaches processes
 */
export function groupResources(
  rack: string,
  { vpc }: NetworkPlaces,
  daemonFrom: readonly string[],
): Resources {
  const group = (name: string, description: string, ingress: object[] = []) => ({
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: description,
      VpcId: vpc,
      ...(ingress.length > 0 && { SecurityGroupIngress: ingress }),
      Tags: tagsOf(rack, name),
    },
  })
  const byDaemon = daemonFrom.map((range) => ({ IpProtocol: '-1', CidrIp: range }))
  return {
    Processes: group('processes', `processes of the rack ${rack}`, byDaemon),
    Balancers: group('balancers', `balancers of the rack ${rack}`),
    Daemon: group('daemon', `daemon of the rack ${rack}`),
    Web: group('web', 'requests of the web', [...everywhere(80), ...everywhere(443)]),
    // The stack of an app's ports says who comes in at them.
    Ports: group('ports', 'ports that processes answer on'),
    Files: group('files', 'the file system, by processes alone', [
      {
        IpProtocol: 'tcp',
        FromPort: 2049,
        ToPort: 2049,
        SourceSecurityGroupId: att('Processes', 'GroupId'),
      },
    ]),
  }
}
