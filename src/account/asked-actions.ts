/** Actions are asked about one by one: of a pattern these, which an installation calls among the first. */
const firstOf: Record<string, string> = {
  'cloudformation:*': 'CreateChangeSet ExecuteChangeSet DescribeStacks DescribeStackEvents DeleteStack',
  'codebuild:*': 'CreateProject StartBuild BatchGetBuilds',
  'ec2:Describe*': 'DescribeVpcs DescribeSubnets DescribeAvailabilityZones',
  'ec2:*InternetGateway': 'CreateInternetGateway AttachInternetGateway DeleteInternetGateway',
  'ec2:*RouteTable': 'CreateRouteTable AssociateRouteTable DeleteRouteTable',
  'ec2:*VpcEndpoint': 'CreateVpcEndpoint',
  'ec2:*SecurityGroupIngress': 'AuthorizeSecurityGroupIngress',
  'ec2:*SecurityGroupEgress': 'AuthorizeSecurityGroupEgress',
  'ecr:*': 'CreateRepository PutImage BatchGetImage',
  'ecs:*': 'CreateCluster DescribeClusters CreateService RunTask ExecuteCommand',
  'ecs:*TaskDefinition': 'RegisterTaskDefinition DescribeTaskDefinition',
  'ecs:*TaskDefinitions': 'ListTaskDefinitions',
  'elasticfilesystem:Describe*': 'DescribeFileSystems DescribeAccessPoints',
  'elasticfilesystem:*FileSystem': 'CreateFileSystem DeleteFileSystem',
  'elasticfilesystem:*MountTarget': 'CreateMountTarget DeleteMountTarget',
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
  'kms:*Alias': 'CreateAlias DeleteAlias',
  'kms:*KeyRotation': 'EnableKeyRotation',
  'logs:*': 'CreateLogGroup FilterLogEvents DeleteLogGroup',
  'logs:*ResourcePolicy': 'PutResourcePolicy DeleteResourcePolicy',
  'route53:*HostedZone': 'CreateHostedZone GetHostedZone DeleteHostedZone',
  'route53:*ResourceRecordSets': 'ChangeResourceRecordSets ListResourceRecordSets',
  'route53:*TagsForResource': 'ChangeTagsForResource',
  's3:*': 'CreateBucket ListBucket PutBucketPolicy',
  's3:*Object': 'GetObject PutObject DeleteObject',
  'secretsmanager:*': 'CreateSecret GetSecretValue DeleteSecret',
  'servicediscovery:*PrivateDnsNamespace': 'CreatePrivateDnsNamespace',
  'servicediscovery:*Namespace': 'GetNamespace DeleteNamespace',
  'servicediscovery:*Service': 'CreateService DeleteService',
}

/** The actions by which one of a policy is asked about. */
export function askedActions(action: string): string[] {
  const [service] = action.split(':')
  return firstOf[action]?.split(' ').map((name) => `${service}:${name}`) ?? [action]
}
