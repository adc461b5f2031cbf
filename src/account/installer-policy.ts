/** What one policy is for: a rack of an account; `*` stands for what is not known yet. */
export interface PolicyScope {
  rack: string
  region: string
  account: string
}

/** Actions that go together, as `ecs:CreateCluster`, and patterns of the ARNs on which they are wanted. */
export interface Permission {
  /** Of the statement; letters and digits. */
  id: string
  actions: string[]
  on: string[]
}

/**
 * What whoever installs a rack has to be allowed, and the rack's daemon, which calls as the same one while it runs
 * outside the account. By the names that a rack gives; `*` where AWS gives names of its own, or takes none. Pure.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
 */
export function installerPermissions(scope: PolicyScope): Permission[] {
  return [
    ...stacksAndRoles(scope),
    network,
    ...computing(scope),
    ...balancing(scope),
    ...storing(scope),
    ...naming,
    ...watching(scope),
    anywhere,
  ]
}

/** The permissions as a policy of IAM. Pure. */
export function installerPolicy(scope: PolicyScope): object {
  return {
    Version: '2012-10-17',
    Statement: installerPermissions(scope).map(({ id, actions, on }) => ({
      Sid: id,
      Effect: 'Allow',
      Action: actions,
      Resource: on,
    })),
  }
}

const anything = ['*']

const of = (service: string, actions: string) => actions.split(' ').map((action) => `${service}:${action}`)

function arns({ region, account }: PolicyScope, service: string, ...rest: string[]): string[] {
  return rest.map((end) => `arn:aws:${service}:${region}:${account}:${end}`)
}

function stacksAndRoles(scope: PolicyScope): Permission[] {
  const { rack, account } = scope
  const iam = (...rest: string[]) => rest.map((end) => `arn:aws:iam::${account}:${end}`)
  return [
    {
      id: 'Stacks',
      actions: ['cloudformation:*'],
      on: arns(scope, 'cloudformation', `stack/rack-${rack}*/*`),
    },
    {
      id: 'Roles',
      actions: of('iam', '*Role *RolePolicy *RolePolicies UpdateAssumeRolePolicy PutRolePermissionsBoundary'),
      on: iam(`role/rack/${rack}/*`),
    },
    {
      id: 'Boundaries',
      actions: of('iam', '*Policy *PolicyVersion *PolicyVersions'),
      on: iam(`policy/rack/${rack}/*`),
    },
    {
      id: 'LinkedRoles',
      actions: ['iam:CreateServiceLinkedRole'],
      on: iam('role/aws-service-role/*'),
    },
  ]
}

const network: Permission = {
  id: 'Network',
  actions: [
    'ec2:Describe*',
    ...of('ec2', 'CreateTags DeleteTags CreateVpc DeleteVpc ModifyVpcAttribute'),
    ...of('ec2', 'CreateSubnet DeleteSubnet ModifySubnetAttribute'),
    'ec2:*InternetGateway',
    // Of the file system, where it is mounted.
    ...of('ec2', 'CreateNetworkInterface DeleteNetworkInterface'),
    ...of('ec2', 'CreateRoute DeleteRoute *RouteTable *VpcEndpoint DeleteVpcEndpoints'),
    ...of('ec2', 'CreateNatGateway DeleteNatGateway AllocateAddress ReleaseAddress'),
    ...of('ec2', 'CreateSecurityGroup DeleteSecurityGroup *SecurityGroupIngress *SecurityGroupEgress'),
  ],
  on: anything,
}

function computing(scope: PolicyScope): Permission[] {
  const { rack } = scope
  return [
    {
      id: 'Cluster',
      actions: ['ecs:*'],
      on: arns(scope, 'ecs', ...['cluster', 'service', 'task'].map((kind) => `${kind}/${rack}*`)),
    },
    {
      id: 'Definitions',
      actions: of(
        'ecs',
        'CreateCluster RunTask ListTasks ListServices *TaskDefinition *TaskDefinitions ListTaskDefinitionFamilies ListTagsForResource TagResource UntagResource',
      ),
      on: anything,
    },
    {
      id: 'Builds',
      actions: ['codebuild:*'],
      on: arns(scope, 'codebuild', `project/rack-${rack}*`, `build/rack-${rack}*`),
    },
    { id: 'Images', actions: ['ecr:*'], on: arns(scope, 'ecr', `repository/rack/${rack}*`) },
  ]
}

function balancing(scope: PolicyScope): Permission[] {
  const kinds = ['loadbalancer', 'listener', 'listener-rule']
  // CloudFormation gives their names, of which the rack's own may be no part.
  const own = kinds.flatMap((kind) => ['app', 'net'].map((type) => `${kind}/${type}/rack-*`))
  return [
    {
      id: 'Balancers',
      actions: ['elasticloadbalancing:*'],
      on: arns(scope, 'elasticloadbalancing', ...own, 'targetgroup/r-*', 'targetgroup/rack-*'),
    },
  ]
}

function storing(scope: PolicyScope): Permission[] {
  const { rack } = scope
  return [
    { id: 'Bucket', actions: ['s3:*'], on: [`arn:aws:s3:::rack-${rack}*`] },
    { id: 'Objects', actions: ['s3:*Object'], on: [`arn:aws:s3:::rack-${rack}*/*`] },
    {
      id: 'Files',
      actions: [
        'elasticfilesystem:Describe*',
        ...of('elasticfilesystem', '*FileSystem *MountTarget *AccessPoint *FileSystemPolicy TagResource'),
      ],
      on: anything,
    },
    {
      id: 'Key',
      actions: of(
        'kms',
        'CreateKey DescribeKey PutKeyPolicy *KeyRotation TagResource ScheduleKeyDeletion *Alias CreateGrant Encrypt Decrypt GenerateDataKey',
      ),
      on: anything,
    },
    {
      id: 'Secrets',
      actions: ['secretsmanager:*'],
      on: arns(scope, 'secretsmanager', `secret:rack/${rack}/*`),
    },
    {
      id: 'Databases',
      actions: ['rds:*'],
      on: arns(
        scope,
        'rds',
        ...['db', 'subgrp', 'pg', 'snapshot'].map((kind) => `${kind}:rack-${rack}*`),
        // Of the engine's own, without which none is made.
        'og:default*',
      ),
    },
    {
      id: 'Caches',
      actions: ['elasticache:*'],
      // Their names are too short for the rack's. Memcached has the settings of ElastiCache's own.
      on: arns(scope, 'elasticache', '*:rack-*', 'parametergroup:default*'),
    },
  ]
}

const naming: Permission[] = [
  {
    id: 'Certificates',
    actions: of('acm', '*Certificate ListCertificates ListTagsForCertificate AddTagsToCertificate'),
    on: anything,
  },
  {
    id: 'Zones',
    actions: of('route53', '*HostedZone ListHostedZones* *ResourceRecordSets *TagsForResource GetChange'),
    on: anything,
  },
  {
    id: 'Members',
    actions: of(
      'servicediscovery',
      '*PrivateDnsNamespace *Namespace GetOperation *Service ListServices ListInstances RegisterInstance DeregisterInstance TagResource ListTagsForResource',
    ),
    on: anything,
  },
]

function watching(scope: PolicyScope): Permission[] {
  const { rack } = scope
  return [
    { id: 'Logs', actions: ['logs:*'], on: arns(scope, 'logs', `log-group:/rack/${rack}/*`) },
    { id: 'Events', actions: ['events:*'], on: arns(scope, 'events', `rule/rack-${rack}*`) },
  ]
}

const anywhere: Permission = {
  id: 'Anywhere',
  actions: [
    // Without a name of a stack they are asked of all.
    ...of('cloudformation', 'DescribeStacks ListStacks'),
    'ecr:GetAuthorizationToken',
    'elasticloadbalancing:Describe*',
    'rds:Describe*',
    ...of('secretsmanager', 'ListSecrets GetRandomPassword'),
    ...of('logs', 'DescribeLogGroups *ResourcePolicy DescribeResourcePolicies'),
    'ssm:TerminateSession',
    'cloudwatch:GetMetricData',
    'servicequotas:GetServiceQuota',
    'pricing:GetProducts',
    // Of the caller, whose role may lie under any path.
    ...of('iam', 'GetRole SimulatePrincipalPolicy'),
  ],
  on: anything,
}
