import type { Permission, PolicyScope } from './installer-policy.ts'
import { judgedOn } from './judged-on.ts'

/** Actions are asked about one by one: of a pattern these, which an installation calls among the first. */
const firstOf: Record<string, string> = {
  'acm:*Certificate':
    'RequestCertificate ImportCertificate GetCertificate DescribeCertificate DeleteCertificate',
  'cloudformation:*': 'CreateChangeSet ExecuteChangeSet DescribeStacks DescribeStackEvents DeleteStack',
  'codebuild:*': 'CreateProject StartBuild BatchGetBuilds',
  'ec2:Describe*': 'DescribeVpcs DescribeSubnets DescribeAvailabilityZones',
  'ec2:*InternetGateway': 'CreateInternetGateway AttachInternetGateway DeleteInternetGateway',
  'ec2:*Address': 'AllocateAddress ReleaseAddress',
  'ec2:*NatGateway': 'CreateNatGateway DeleteNatGateway',
  'ec2:*Route': 'CreateRoute DeleteRoute',
  'ec2:*RouteTable*': 'CreateRouteTable AssociateRouteTable DeleteRouteTable',
  'ec2:*VpcEndpoint': 'CreateVpcEndpoint',
  'ec2:*SecurityGroupIngress': 'AuthorizeSecurityGroupIngress',
  'ec2:*SecurityGroupEgress': 'AuthorizeSecurityGroupEgress',
  'ecr:*': 'CreateRepository PutImage BatchGetImage',
  'ecs:*':
    'CreateCluster DescribeClusters CreateService ListServiceDeployments DescribeServiceDeployments RunTask ExecuteCommand',
  'ecs:*TaskDefinition': 'RegisterTaskDefinition DescribeTaskDefinition',
  'ecs:*TaskDefinitions': 'ListTaskDefinitions',
  'elasticache:*':
    'CreateReplicationGroup CreateCacheCluster CreateUser CreateUserGroup CreateCacheSubnetGroup DeleteReplicationGroup',
  'elasticfilesystem:Describe*': 'DescribeFileSystems DescribeAccessPoints',
  'elasticfilesystem:*FileSystem': 'CreateFileSystem DeleteFileSystem',
  'elasticfilesystem:*MountTarget*': 'CreateMountTarget DeleteMountTarget',
  'elasticfilesystem:*TagResource': 'TagResource',
  'elasticfilesystem:*AccessPoint': 'CreateAccessPoint DeleteAccessPoint',
  'elasticfilesystem:*FileSystemPolicy': 'PutFileSystemPolicy',
  'elasticloadbalancing:*': 'CreateLoadBalancer CreateListener CreateRule DeleteLoadBalancer',
  'elasticloadbalancing:Describe*': 'DescribeLoadBalancers',
  'events:*': 'PutRule PutTargets DeleteRule',
  'iam:*Role': 'CreateRole GetRole DeleteRole PassRole TagRole',
  'iam:*RolePolicy': 'PutRolePolicy DeleteRolePolicy',
  'iam:*RolePolicies': 'ListRolePolicies',
  'iam:*Policy': 'CreatePolicy DeletePolicy',
  'iam:*PolicyVersion': 'GetPolicyVersion',
  'iam:*PolicyVersions': 'ListPolicyVersions',
  'kms:*Alias*': 'CreateAlias ListAliases DeleteAlias',
  'kms:*KeyPolicy': 'PutKeyPolicy GetKeyPolicy',
  'kms:*KeyRotation*': 'EnableKeyRotation GetKeyRotationStatus',
  'kms:*TagResource': 'TagResource',
  'kms:GenerateDataKey*': 'GenerateDataKey GenerateDataKeyWithoutPlaintext',
  'logs:*': 'CreateLogGroup FilterLogEvents DeleteLogGroup',
  'logs:*ResourcePolicy': 'PutResourcePolicy DeleteResourcePolicy',
  'rds:*': 'CreateDBInstance CreateDBSubnetGroup DeleteDBInstance CreateDBSnapshot',
  'rds:Describe*': 'DescribeDBInstances DescribeDBSnapshots',
  'route53:*HostedZone*': 'CreateHostedZone GetHostedZone ListHostedZones DeleteHostedZone',
  'route53:*ResourceRecordSets': 'ChangeResourceRecordSets ListResourceRecordSets',
  'route53:*TagsForResource': 'ChangeTagsForResource',
  's3:*': 'CreateBucket ListBucket PutBucketPolicy',
  's3:*Object': 'GetObject PutObject DeleteObject',
  'secretsmanager:*': 'CreateSecret GetSecretValue DeleteSecret',
  'servicediscovery:*PrivateDnsNamespace': 'CreatePrivateDnsNamespace',
  'servicediscovery:*Namespace': 'GetNamespace DeleteNamespace',
  'servicediscovery:*Service': 'CreateService DeleteService',
  'servicediscovery:*TagResource': 'TagResource',
}

/** The actions by which one of a policy is asked about. */
export function askedActions(action: string): string[] {
  const [service] = action.split(':')
  return firstOf[action]?.split(' ').map((name) => `${service}:${name}`) ?? [action]
}

/** Actions that are asked about together: those that are judged on the same. */
export interface Question {
  /** As `ecs:RunTask`. */
  actions: string[]
  /** An ARN such as it would be, or `*`. */
  resource: string
}

/** What there is to ask about permissions, each action on all that it is judged on. Pure. */
export function questionsOf(wanted: Permission[], scope: PolicyScope): Question[] {
  const byResource = new Map<string, Set<string>>()
  for (const action of wanted.flatMap(({ actions }) => actions.flatMap(askedActions))) {
    for (const resource of judgedOn(action, scope)) {
      byResource.set(resource, (byResource.get(resource) ?? new Set()).add(action))
    }
  }
  return [...byResource].map(([resource, actions]) => ({ resource, actions: [...actions] }))
}
