import type { PolicyScope } from './installer-policy.ts'

/** What a kind of resource is called in ARNs: service, then the end of one that is a rack's; `R` is its name. */
const resources = {
  stack: 'cloudformation:stack/rack-R-base/1',
  cluster: 'ecs:cluster/R',
  service: 'ecs:service/R/1',
  deployment: 'ecs:service-deployment/R/1/1',
  task: 'ecs:task/R/1',
  // Of an app, a type and a generation: the rack is no part of it.
  definition: 'ecs:task-definition/web_web_1:1',
  instance: 'ecs:container-instance/R/1',
  project: 'codebuild:project/rack-R-builds',
  repository: 'ecr:repository/rack/R',
  balancer: 'elasticloadbalancing:loadbalancer/app/rack-1/1',
  listener: 'elasticloadbalancing:listener/app/rack-1/1/1',
  rule: 'elasticloadbalancing:listener-rule/app/rack-1/1/1/1',
  group: 'elasticloadbalancing:targetgroup/r-1/1',
  event: 'events:rule/rack-R-stopped',
  role: 'iam:role/rack/R/1',
  policy: 'iam:policy/rack/R/1',
  linkedRole: 'iam:role/aws-service-role/ecs.amazonaws.com/1',
  logs: 'logs:log-group:/rack/R/_stopped',
  database: 'rds:db:rack-R-service-main-database-1',
  options: 'rds:og:default:postgres-17',
  parameters: 'rds:pg:rack-R-service-main-settings-1',
  usualParameters: 'rds:pg:default.postgres15',
  subnets: 'rds:subgrp:rack-R-service-main-subnets-1',
  snapshot: 'rds:snapshot:rack-R-service-main-snapshot-1',
  cacheGroup: 'elasticache:replicationgroup:rack-1',
  cache: 'elasticache:cluster:rack-1',
  cacheUser: 'elasticache:user:rack-1',
  cacheUsers: 'elasticache:usergroup:rack-1',
  cacheSubnets: 'elasticache:subnetgroup:rack-R-service-main-subnets-1',
  cacheSettings: 'elasticache:parametergroup:rack-R-service-main-settings-1',
  usualSettings: 'elasticache:parametergroup:default.memcached1.6',
  bucket: 's3:rack-R-base-bucket-1',
  object: 's3:rack-R-base-bucket-1/1',
  secret: 'secretsmanager:secret:rack/R/web/web-1',
} as const

type Kind = keyof typeof resources | 'all'

/** The kinds by which each action is judged; `all` where it takes no resource, or is asked of all that there are. */
const judged: Record<string, Partial<Record<string, Kind[]>>> = {
  cloudformation: {
    // D: without a name it needs both, of all stacks.
    DescribeStacks: ['stack', 'all'],
    ListStacks: ['all'],
    '*': ['stack'],
  },
  codebuild: { '*': ['project'] },
  ecr: { GetAuthorizationToken: ['all'], '*': ['repository'] },
  ecs: {
    CreateCluster: ['cluster'],
    DescribeClusters: ['cluster'],
    CreateService: ['service'],
    DeleteService: ['service'],
    DescribeServices: ['service'],
    UpdateService: ['service'],
    ListServiceDeployments: ['service'],
    DescribeServiceDeployments: ['service', 'deployment'],
    DescribeTasks: ['task'],
    StopTask: ['task'],
    UpdateTaskProtection: ['task'],
    ExecuteCommand: ['cluster', 'task'],
    RunTask: ['definition'],
    ListTasks: ['instance'],
    TagResource: ['service', 'task', 'definition'],
    UntagResource: ['service', 'task', 'definition'],
  },
  elasticloadbalancing: {
    CreateLoadBalancer: ['balancer'],
    DeleteLoadBalancer: ['balancer'],
    CreateListener: ['balancer'],
    DeleteListener: ['listener'],
    ModifyListener: ['listener'],
    AddListenerCertificates: ['listener'],
    RemoveListenerCertificates: ['listener'],
    CreateRule: ['listener'],
    DeleteRule: ['rule'],
    ModifyRule: ['rule'],
    SetRulePriorities: ['rule'],
    CreateTargetGroup: ['group'],
    DeleteTargetGroup: ['group'],
    ModifyTargetGroup: ['group'],
    ModifyTargetGroupAttributes: ['group'],
    AddTags: ['balancer', 'listener', 'rule', 'group'],
    RemoveTags: ['balancer', 'listener', 'rule', 'group'],
  },
  elasticache: {
    CreateReplicationGroup: ['cacheGroup', 'cacheUsers', 'cacheSubnets', 'cacheSettings'],
    DeleteReplicationGroup: ['cacheGroup'],
    CreateCacheCluster: ['cache', 'cacheSubnets', 'usualSettings'],
    CreateUser: ['cacheUser'],
    CreateUserGroup: ['cacheUsers', 'cacheUser'],
    CreateCacheSubnetGroup: ['cacheSubnets'],
  },
  events: { '*': ['event'] },
  iam: {
    CreatePolicy: ['policy'],
    GetPolicy: ['policy'],
    DeletePolicy: ['policy'],
    CreatePolicyVersion: ['policy'],
    GetPolicyVersion: ['policy'],
    DeletePolicyVersion: ['policy'],
    ListPolicyVersions: ['policy'],
    ListEntitiesForPolicy: ['policy'],
    CreateServiceLinkedRole: ['linkedRole'],
    ListPolicies: ['all'],
    ListRoles: ['all'],
    SimulatePrincipalPolicy: ['all'],
    '*': ['role'],
  },
  logs: {
    DescribeLogGroups: ['all'],
    DescribeIndexPolicies: ['all'],
    PutResourcePolicy: ['all'],
    DeleteResourcePolicy: ['all'],
    DescribeResourcePolicies: ['all'],
    '*': ['logs'],
  },
  rds: {
    // D: also by groups of options and parameters, which are the engine's own where a database has none.
    CreateDBInstance: ['database', 'options', 'parameters', 'usualParameters', 'subnets'],
    CreateDBSubnetGroup: ['subnets'],
    CreateDBSnapshot: ['database', 'snapshot'],
    DeleteDBSnapshot: ['snapshot'],
    DeleteDBInstance: ['database'],
    ModifyDBInstance: ['database', 'options', 'parameters'],
    RebootDBInstance: ['database'],
    DescribeDBInstances: ['database'],
  },
  s3: {
    GetObject: ['object'],
    PutObject: ['object'],
    DeleteObject: ['object'],
    AbortMultipartUpload: ['object'],
    '*': ['bucket'],
  },
  secretsmanager: { ListSecrets: ['all'], GetRandomPassword: ['all'], '*': ['secret'] },
}

/**
 * On what AWS judges whether somebody may do an action of an installation, as `ecs:RunTask`: ARNs such as its resources
 * would have, and `*`. Pure.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
 */
export function judgedOn(action: string, scope: PolicyScope): string[] {
  const [service = '', name = ''] = action.split(':')
  const kinds = judged[service]?.[name] ?? judged[service]?.['*'] ?? ['all']
  return kinds.map((kind) => (kind === 'all' ? '*' : arnOf(resources[kind], scope)))
}

/** D: names of IAM know no Region, and those of S3 no account either. */
function arnOf(resource: string, { rack, region, account }: PolicyScope): string {
  const [, service, end = ''] = /^([a-z0-9]+):(.*)$/.exec(resource) ?? []
  const place =
    service === 's3' ? 's3::' : service === 'iam' ? `iam::${account}` : `${service}:${region}:${account}`
  return `arn:aws:${place}:${end.replace(/\bR\b/, rack)}`
}
