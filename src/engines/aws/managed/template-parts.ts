import type { AwsPlaces } from '../../../domain/aws-places.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { ManagedService } from '../../../domain/service.ts'
import { ownerTag, tagNames } from '../names.ts'

export interface ManagedTemplateInput {
  rack: string
  /** Passwords are parameters of the stack, and not in here. */
  managed: Omit<ManagedService, 'password' | 'logins'>
  places: Pick<AwsPlaces, 'vpc' | 'subnets' | 'securityGroups' | 'key'>
}

export const aboutOf = ({ rack, managed: { name } }: ManagedTemplateInput) =>
  `the service ${name} of the rack ${rack}`

export function tagsOf({ rack, managed: { name, identity } }: ManagedTemplateInput) {
  const owner: Owner = { kind: 'service', name }
  return [
    { Key: tagNames.rack, Value: rack },
    { Key: tagNames.owner, Value: ownerTag(owner) },
    ...(identity === undefined ? [] : [{ Key: tagNames.identity, Value: identity }]),
  ]
}

/** Every process of the rack, since any app may be linked to it, and the daemon. */
export function securityGroup(input: ManagedTemplateInput, port: number): object {
  const { places } = input
  const { processes, daemon } = places.securityGroups
  return {
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: aboutOf(input),
      VpcId: places.vpc,
      SecurityGroupIngress: [...new Set([processes, daemon])].map((group) => ({
        IpProtocol: 'tcp',
        FromPort: port,
        ToPort: port,
        SourceSecurityGroupId: group,
      })),
      Tags: tagsOf(input),
    },
  }
}
