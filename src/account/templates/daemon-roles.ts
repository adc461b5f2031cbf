import { webBalancerPrefix } from '../../aws/web-balancer.ts'
import { accountPlace, arnsHere } from './daemon.ts'
import type { InsideInput } from './inside.ts'
import { allow, att, policy, ref, sub, type Resources } from './template.ts'

export interface DaemonRolesInput {
  rack: string
  inside: Pick<InsideInput, 'domain'>
  /** ARN of what the account's owner bounds every role by. */
  permissionsBoundary: string | undefined
}

/**
 * As whom a daemon inside the account calls it: what it runs by itself, and what its stacks of apps and services make,
 * which CloudFormation does by a role of its own, so that the daemon writes no role (aws.md 2.3). Pure.
 */
export function daemonRoles({ rack, inside: { domain }, permissionsBoundary }: DaemonRolesInput): Resources {
  const role = (name: string, service: string, statements: object[]) => ({
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: `rack-${rack}-${name}`,
      Path: `/rack/${rack}/`,
      AssumeRolePolicyDocument: policy({
        Effect: 'Allow',
        Principal: { Service: service },
        Action: 'sts:AssumeRole',
      }),
      ...(permissionsBoundary && { PermissionsBoundary: permissionsBoundary }),
      Policies: [{ PolicyName: name, PolicyDocument: policy(...statements) }],
    },
  })
  const tasks = 'ecs-tasks.amazonaws.com'
  return {
    DaemonExecutionRole: role('daemon-execution', tasks, executionStatements(rack)),
    DaemonRole: role('daemon', tasks, daemonStatements(rack, domain)),
    StackRole: role(
      'stacks',
      'cloudformation.amazonaws.com',
      stackStatements(rack, permissionsBoundary ?? ref('Boundary')),
    ),
  }
}

const of = (service: string, actions: string) => actions.split(' ').map((action) => `${service}:${action}`)

const iamArn = (end: string) => sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:${end}`)
const appRoles = (rack: string) => iamArn(`role/rack/${rack}/app/*`)
const toService = (name: string) => ({ Condition: { StringEquals: { 'iam:PassedToService': name } } })

/** What ECS does before the daemon starts: its image, its log, its two secrets. */
function executionStatements(rack: string): object[] {
  return [
    allow('ecr:GetAuthorizationToken', '*'),
    allow(
      of('ecr', 'BatchGetImage GetDownloadUrlForLayer BatchCheckLayerAvailability'),
      arnsHere('ecr', `repository/rack/${rack}`),
    ),
    allow(of('logs', 'CreateLogStream PutLogEvents'), arnsHere('logs', `log-group:/rack/${rack}/_daemon:*`)),
    allow('secretsmanager:GetSecretValue', [ref('StorePassword'), ref('StoreKey')]),
    allow('kms:Decrypt', ref('Key')),
  ]
}

function daemonStatements(rack: string, domain: string | undefined): object[] {
  return [
    ...running(rack),
    ...balancing(rack),
    ...storing(rack),
    ...naming(domain),
    ...making(rack),
    allow(
      [
        'ecr:GetAuthorizationToken',
        'elasticloadbalancing:Describe*',
        'rds:DescribeDBSnapshots',
        'secretsmanager:ListSecrets',
        'logs:DescribeLogGroups',
        'ssm:TerminateSession',
        'cloudwatch:GetMetricData',
        'servicequotas:GetServiceQuota',
        'pricing:GetProducts',
        ...of(
          'acm',
          'RequestCertificate ListCertificates DescribeCertificate DeleteCertificate ListTagsForCertificate AddTagsToCertificate',
        ),
      ],
      '*',
    ),
  ]
}

/** Services and tasks of its cluster alone; ECS has no names of task definitions that a rack were a part of. */
function running(rack: string): object[] {
  const inCluster = { Condition: { ArnEquals: { 'ecs:cluster': att('Cluster', 'Arn') } } }
  const named = ['cluster', 'service', 'task'].map(
    (kind) => `${kind}/${rack}${kind === 'cluster' ? '' : '/*'}`,
  )
  return [
    allow(
      of(
        'ecs',
        'CreateService UpdateService DeleteService DescribeServices DescribeClusters DescribeTasks StopTask UpdateTaskProtection ExecuteCommand',
      ),
      arnsHere('ecs', ...named),
    ),
    allow(of('ecs', 'RunTask ListTasks ListServices'), '*', inCluster),
    allow(
      of(
        'ecs',
        'RegisterTaskDefinition DeregisterTaskDefinition DeleteTaskDefinitions DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies TagResource UntagResource ListTagsForResource',
      ),
      '*',
    ),
    allow('iam:PassRole', appRoles(rack), toService('ecs-tasks.amazonaws.com')),
    allow(
      of('codebuild', 'StartBuild StopBuild BatchGetBuilds'),
      arnsHere('codebuild', `project/rack-${rack}-builds`),
    ),
    allow(
      of(
        'ecr',
        'BatchCheckLayerAvailability BatchDeleteImage BatchGetImage CompleteLayerUpload DescribeImages GetDownloadUrlForLayer InitiateLayerUpload PutImage UploadLayerPart',
      ),
      arnsHere('ecr', `repository/rack/${rack}`, `repository/rack/${rack}/*`),
    ),
    // A log that somebody has deleted is made again.
    allow(
      of('logs', 'DescribeLogStreams FilterLogEvents CreateLogGroup PutRetentionPolicy TagResource'),
      arnsHere('logs', `log-group:/rack/${rack}/*`),
    ),
  ]
}

/**
 * Of balancers of the web its own alone. One for ports comes later, and CloudFormation gives it its name, of which the
 * rack's own may be no part.
 */
function balancing(rack: string): object[] {
  const web = '${Balancer.LoadBalancerFullName}'
  const kinds = ['loadbalancer', 'listener', 'listener-rule']
  const own = [`loadbalancer/${web}`, `listener/${web}/*`, `listener-rule/${web}/*`]
  own.push(...kinds.flatMap((kind) => ['net/rack-', further(rack)].map((name) => `${kind}/${name}*`)))
  return [
    allow(
      of(
        'elasticloadbalancing',
        'CreateRule ModifyRule DeleteRule SetRulePriorities CreateListener ModifyListener DeleteListener AddListenerCertificates RemoveListenerCertificates CreateTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup AddTags RemoveTags',
      ),
      arnsHere('elasticloadbalancing', ...own, 'targetgroup/r-*'),
    ),
  ]
}

function storing(rack: string): object[] {
  const { own, here } = accountPlace
  return [
    allow('s3:ListBucket', sub(`${own}:s3:::\${Bucket}`)),
    allow(of('s3', 'GetObject PutObject DeleteObject AbortMultipartUpload'), sub(`${own}:s3:::\${Bucket}/*`)),
    allow(of('kms', 'Encrypt Decrypt GenerateDataKey DescribeKey'), ref('Key')),
    allow(
      of('secretsmanager', 'CreateSecret DescribeSecret GetSecretValue DeleteSecret TagResource'),
      arnsHere('secretsmanager', `secret:rack/${rack}/*`),
    ),
    // It is given those at its start, by ECS.
    {
      Effect: 'Deny',
      Action: 'secretsmanager:*',
      Resource: arnsHere('secretsmanager', `secret:rack/${rack}/_*`),
    },
    allow(of('elasticfilesystem', 'CreateAccessPoint DescribeAccessPoints DeleteAccessPoint TagResource'), [
      sub(`${own}:elasticfilesystem:${here}:file-system/\${FileSystem}`),
      ...arnsHere('elasticfilesystem', 'access-point/*'),
    ]),
  ]
}

/** What resources of further balancers of the web are called by. */
const further = (rack: string) => `app/${webBalancerPrefix(rack)}`

/**
 * Of the account's other zones it may change what proves a name to ACM, and where names below the rack's domain lead, and
 * nothing else.
 */
function naming(domain: string | undefined): object[] {
  const key = 'route53:ChangeResourceRecordSets'
  const zones = sub('arn:${AWS::Partition}:route53:::hostedzone/*')
  const names = ['_*', ...(domain === undefined ? [] : [`*.${domain}`])]
  return [
    // The last two are Cloud Map's, for services of a namespace with names (J).
    allow(of('route53', 'ListHostedZones GetChange GetHostedZone ListHostedZonesByName'), '*'),
    allow(of('route53', 'ChangeResourceRecordSets ListResourceRecordSets'), {
      'Fn::Sub': 'arn:${AWS::Partition}:route53:::hostedzone/${Zone}',
    }),
    ...(domain === undefined ? [] : [allow('route53:ListResourceRecordSets', zones)]),
    allow(key, zones, {
      Condition: {
        'ForAllValues:StringEquals': { [`${key}RecordTypes`]: ['CNAME'] },
        'ForAllValues:StringLike': { [`${key}NormalizedRecordNames`]: names },
      },
    }),
    allow(
      of('servicediscovery', 'CreateService DeleteService GetService ListServices ListInstances TagResource'),
      '*',
    ),
  ]
}

/** Stacks of apps and services, and of balancers, which CloudFormation makes by the role that it is passed. */
function making(rack: string): object[] {
  const verbs =
    'CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet DescribeStackEvents DescribeStackResource ListStackResources ContinueUpdateRollback DeleteStack TagResource UntagResource'
  return [
    allow(
      of('cloudformation', verbs),
      arnsHere(
        'cloudformation',
        ...['app-*', 'service-*', 'ports*', 'web-*'].map((end) => `stack/rack-${rack}-${end}/*`),
      ),
    ),
    // Without a name it is asked of all (D).
    allow('cloudformation:DescribeStacks', '*'),
    allow('iam:PassRole', iamArn(`role/rack/${rack}/rack-${rack}-stacks`), {
      ...toService('cloudformation.amazonaws.com'),
    }),
    allow(
      of('rds', 'ModifyDBInstance RebootDBInstance DescribeDBInstances'),
      arnsHere('rds', databases(rack), 'og:*', 'pg:*'),
    ),
  ]
}

/**
 * What CloudFormation does for stacks of apps and services. A role that it gives policies to has the boundary already.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
 */
function stackStatements(rack: string, boundary: unknown): object[] {
  const bounded = { Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary } } }
  const writing =
    'CreateRole PutRolePolicy DeleteRolePolicy AttachRolePolicy DetachRolePolicy PutRolePermissionsBoundary'
  const looking =
    'GetRole GetRolePolicy ListRolePolicies ListAttachedRolePolicies DeleteRole TagRole UntagRole UpdateRole UpdateAssumeRolePolicy'
  const logs =
    'CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy GetDataProtectionPolicy TagResource UntagResource ListTagsForResource'
  const images =
    'CreateRepository DeleteRepository DescribeRepositories ListImages BatchDeleteImage GetRepositoryPolicy GetLifecyclePolicy TagResource UntagResource ListTagsForResource'
  return [
    allow(of('iam', writing), appRoles(rack), bounded),
    allow(of('iam', looking), appRoles(rack)),
    allow(of('logs', logs), arnsHere('logs', `log-group:/rack/${rack}/*`)),
    allow(of('ecr', images), arnsHere('ecr', `repository/rack/${rack}/*`)),
    ...databaseStatements(rack),
    ...cacheStatements(),
    allow(
      [
        ...of('ec2', 'CreateSecurityGroup DeleteSecurityGroup CreateTags DeleteTags'),
        ...of('ec2', 'AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress'),
        ...of('ec2', 'AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress GetSecurityGroupsForVpc'),
        ...['ec2', 'elasticache', 'elasticloadbalancing', 'rds'].map((service) => `${service}:Describe*`),
        ...of('logs', 'DescribeLogGroups DescribeIndexPolicies'),
      ],
      '*',
    ),
    // A balancer for ports of their own, to which CloudFormation gives its name, and further ones of the web.
    allow(
      of(
        'elasticloadbalancing',
        'CreateLoadBalancer DeleteLoadBalancer ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets AddTags RemoveTags',
      ),
      arnsHere('elasticloadbalancing', 'loadbalancer/net/rack-*', `loadbalancer/${further(rack)}*`),
    ),
    allow(
      of(
        'elasticloadbalancing',
        'CreateListener ModifyListener ModifyListenerAttributes DeleteListener AddTags RemoveTags',
      ),
      arnsHere(
        'elasticloadbalancing',
        ...['loadbalancer', 'listener'].map((kind) => `${kind}/${further(rack)}*`),
      ),
    ),
  ]
}

/** Caches of services, whose names are too short for the rack's. */
function cacheStatements(): object[] {
  const kinds = [
    'ReplicationGroup',
    'CacheCluster',
    'User',
    'UserGroup',
    'CacheSubnetGroup',
    'CacheParameterGroup',
  ]
  const verbs = kinds.flatMap((kind) => ['Create', 'Modify', 'Delete'].map((verb) => `${verb}${kind}`))
  const others =
    'ResetCacheParameterGroup CreateSnapshot AddTagsToResource RemoveTagsFromResource ListTagsForResource'
  return [
    allow(
      of('elasticache', `${verbs.join(' ')} ${others}`),
      arnsHere('elasticache', '*:rack-*', 'parametergroup:default*'),
    ),
    allow('iam:CreateServiceLinkedRole', iamArn('role/aws-service-role/elasticache.amazonaws.com/*')),
  ]
}

/** CloudFormation gives them names of 63 characters at most, of which the stack's own has 41 (S). */
const databases = (rack: string) => `db:${`rack-${rack}-service-`.slice(0, 41)}*`

/** Databases of services, and the key that they are closed with. */
function databaseStatements(rack: string): object[] {
  const own = ['subgrp', 'pg', 'snapshot'].map((kind) => `${kind}:rack-${rack}-service-*`)
  const verbs =
    'CreateDBInstance ModifyDBInstance RebootDBInstance DeleteDBInstance CreateDBSnapshot CreateDBSubnetGroup ModifyDBSubnetGroup DeleteDBSubnetGroup CreateDBParameterGroup ModifyDBParameterGroup ResetDBParameterGroup DeleteDBParameterGroup AddTagsToResource RemoveTagsFromResource ListTagsForResource'
  return [
    allow(of('rds', verbs), arnsHere('rds', databases(rack), ...own, 'og:default*')),
    allow('iam:CreateServiceLinkedRole', iamArn('role/aws-service-role/rds.amazonaws.com/*')),
    allow(of('kms', 'DescribeKey Encrypt Decrypt GenerateDataKey'), ref('Key')),
    allow('kms:CreateGrant', ref('Key'), { Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } } }),
  ]
}
