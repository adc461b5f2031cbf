/** What one policy is for: a rack of an account; `*` stands for what is not known yet. */
export interface PolicyScope {
  rack: string
  region: string
  account: string
}

/** Actions that go together, as `ecs:CreateCluster`, and patterns of the ARNs on which they are wanted. */
export interface Permission {
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

/** The permissions as a policy of IAM; those on the same stand in one statement, as it has room for no more. Pure. */
export function installerPolicy(scope: PolicyScope): object {
  const byResource = Map.groupBy(installerPermissions(scope), ({ on }) => on.join(' '))
  return {
    Version: '2012-10-17',
    Statement: [...byResource.values()].map((same) => ({
      Effect: 'Allow',
      Action: same.flatMap(({ actions }) => actions),
      Resource: same[0]!.on,
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
      actions: ['cloudformation:*'],
      on: arns(scope, 'cloudformation', `stack/rack-${rack}*/*`),
    },
    {
      actions: of('iam', '*Role *RolePolicy *RolePolicies UpdateAssumeRolePolicy PutRolePermissionsBoundary'),
      on: iam(`role/rack/${rack}/*`),
    },
    {
      actions: of('iam', '*Policy *PolicyVersion *PolicyVersions'),
      on: iam(`policy/rack/${rack}/*`),
    },
    {
      actions: ['iam:CreateServiceLinkedRole'],
      on: iam('role/aws-service-role/*'),
    },
  ]
}

const network: Permission = {
  actions: [
    'ec2:Describe*',
    // D: whoever makes a load balancer in security groups needs it (kubernetes-sigs/aws-load-balancer-controller, 3917).
    'ec2:GetSecurityGroupsForVpc',
    ...of('ec2', 'CreateTags DeleteTags CreateVpc DeleteVpc ModifyVpcAttribute'),
    ...of('ec2', 'CreateSubnet DeleteSubnet ModifySubnetAttribute'),
    'ec2:*InternetGateway',
    // Of the file system, where it is mounted.
    ...of('ec2', 'CreateNetworkInterface DeleteNetworkInterface'),
    ...of('ec2', '*Route *RouteTable* *VpcEndpoint DeleteVpcEndpoints *NatGateway *Address'),
    ...of('ec2', 'CreateSecurityGroup DeleteSecurityGroup *SecurityGroupIngress *SecurityGroupEgress'),
  ],
  on: anything,
}

function computing(scope: PolicyScope): Permission[] {
  const { rack } = scope
  return [
    {
      actions: ['ecs:*'],
      on: arns(
        scope,
        'ecs',
        // D: `service-deployment` too, by which CloudFormation sees how far one is.
        ...['cluster', 'service*', 'task'].map((kind) => `${kind}/${rack}*`),
      ),
    },
    {
      actions: of(
        'ecs',
        'CreateCluster RunTask ListTasks ListServices *TaskDefinition *TaskDefinitions ListTaskDefinitionFamilies ListTagsForResource TagResource UntagResource',
      ),
      on: anything,
    },
    {
      actions: ['codebuild:*'],
      on: arns(scope, 'codebuild', `project/rack-${rack}*`, `build/rack-${rack}*`),
    },
    { actions: ['ecr:*'], on: arns(scope, 'ecr', `repository/rack/${rack}*`) },
  ]
}

function balancing(scope: PolicyScope): Permission[] {
  const kinds = ['loadbalancer', 'listener', 'listener-rule']
  // CloudFormation gives their names, of which the rack's own may be no part.
  const own = kinds.flatMap((kind) => ['app', 'net'].map((type) => `${kind}/${type}/rack-*`))
  return [
    {
      actions: ['elasticloadbalancing:*'],
      on: arns(scope, 'elasticloadbalancing', ...own, 'targetgroup/r-*', 'targetgroup/rack-*'),
    },
  ]
}

function storing(scope: PolicyScope): Permission[] {
  const { rack } = scope
  return [
    // Of its objects too: `*` is any characters, `/` among them.
    { actions: ['s3:*'], on: [`arn:aws:s3:::rack-${rack}*`] },
    {
      actions: of(
        'elasticfilesystem',
        'Describe* *FileSystem *FileSystemPolicy *MountTarget* *AccessPoint *TagResource ListTagsForResource',
      ),
      on: anything,
    },
    {
      actions: of(
        'kms',
        'CreateKey DescribeKey *KeyPolicy *KeyRotation* *Alias* ListResourceTags *TagResource UpdateKeyDescription ScheduleKeyDeletion CreateGrant Encrypt Decrypt GenerateDataKey*',
      ),
      on: anything,
    },
    {
      actions: ['secretsmanager:*'],
      on: arns(scope, 'secretsmanager', `secret:rack/${rack}/*`),
    },
    {
      actions: ['rds:*'],
      on: arns(
        scope,
        'rds',
        ...['db', 'subgrp', 'pg', 'snapshot'].map((kind) => `${kind}:rack-${rack}*`),
        // The engine's own: a database without a group of its own is judged on these (D).
        'og:default*',
        'pg:default*',
      ),
    },
    {
      actions: ['elasticache:*'],
      // Their names are too short for the rack's. Memcached has the settings of ElastiCache's own.
      on: arns(scope, 'elasticache', '*:rack-*', 'parametergroup:default*'),
    },
  ]
}

const naming: Permission[] = [
  {
    actions: of('acm', '*Certificate ListCertificates ListTagsForCertificate AddTagsToCertificate'),
    on: anything,
  },
  {
    actions: of(
      'route53',
      '*HostedZone* *ResourceRecordSets *TagsForResource GetChange ListQueryLoggingConfigs',
    ),
    on: anything,
  },
  {
    actions: of(
      'servicediscovery',
      '*PrivateDnsNamespace *Namespace GetOperation *Service ListServices ListInstances RegisterInstance DeregisterInstance *TagResource ListTagsForResource',
    ),
    on: anything,
  },
]

function watching(scope: PolicyScope): Permission[] {
  const { rack } = scope
  return [
    { actions: ['logs:*'], on: arns(scope, 'logs', `log-group:/rack/${rack}/*`) },
    { actions: ['events:*'], on: arns(scope, 'events', `rule/rack-${rack}*`) },
  ]
}

const anywhere: Permission = {
  actions: [
    // Without a name of a stack they are asked of all.
    ...of('cloudformation', 'DescribeStacks ListStacks'),
    'ecr:GetAuthorizationToken',
    'elasticloadbalancing:Describe*',
    'rds:Describe*',
    ...of('secretsmanager', 'ListSecrets GetRandomPassword'),
    ...of('logs', 'DescribeLogGroups DescribeIndexPolicies *ResourcePolicy DescribeResourcePolicies'),
    'ssm:TerminateSession',
    'cloudwatch:GetMetricData',
    'servicequotas:GetServiceQuota',
    'pricing:GetProducts',
    // Of the caller, whose role may lie under any path.
    ...of('iam', 'GetRole ListRoles ListPolicies SimulatePrincipalPolicy'),
  ],
  on: anything,
}
