import { roleResources } from './roles.ts'
import { att, ref, sub, tagsOf, type Resources, type Template } from './template.ts'

export interface RackInput {
  rack: string
  /** Whether ports of their own can be opened: a network balancer costs by the hour. */
  networkBalancer: boolean
  /** Of the rack's repository, once they are built there; until then nothing can run. */
  images: RackImages | null
  /** ARN of what the account's owner bounds every role by. */
  permissionsBoundary?: string
}

/** References by digest. */
export interface RackImages {
  /** What prepares a task. */
  tool: string
  /** In which apps are built; null where they are built beside the daemon, and the stack has no project for it. */
  builder: string | null
}

/** What the base stack's outputs give to the rack's. */
export function rackParameters({ networkBalancer }: Pick<RackInput, 'networkBalancer'>): string[] {
  const ports = networkBalancer ? ['PortsGroup'] : []
  return ['BalancerSubnets', 'BalancersGroup', 'WebGroup', ...ports, 'Bucket', 'Key']
}

/** Where the rack's own lines go: no app and no service has a name with `_`. */
const ownGroups = { Builds: '_builds', Stopped: '_stopped' }

/** What processes run in and are reached by (aws.md 2.1). Pure. */
export function rackTemplate(input: RackInput): Template {
  const { rack, networkBalancer, images, permissionsBoundary } = input
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
          Tags: tagsOf(rack),
        },
      },
      Repository: {
        Type: 'AWS::ECR::Repository',
        Properties: { RepositoryName: `rack/${rack}`, EmptyOnDelete: true, Tags: tagsOf(rack) },
      },
      ...webResources(rack),
      ...(networkBalancer && { NetworkBalancer: networkBalancerOf(rack) }),
      ...logResources(rack),
      ...roleResources({
        rack,
        buildLogs: images?.builder ? logName(rack, 'Builds') : null,
        permissionsBoundary,
      }),
      ...(images?.builder && { BuildProject: buildProject(rack, images.builder) }),
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
      ...(images?.builder && { BuildProject: { Value: ref('BuildProject') } }),
      Repository: { Value: ref('Repository') },
      RepositoryAddress: { Value: att('Repository', 'RepositoryUri') },
      RoleBoundary: { Value: permissionsBoundary ?? ref('Boundary') },
      ...(images && { ToolImage: { Value: images.tool } }),
    },
  }
}

const logName = (rack: string, group: keyof typeof ownGroups) => `/rack/${rack}/${ownGroups[group]}`

const balancerSubnets = { 'Fn::Split': [',', ref('BalancerSubnets')] }

const attributes = (values: Record<string, string>) =>
  Object.entries(values).map(([Key, Value]) => ({ Key, Value }))

/** Without names of their own: those are short, and some are AWS's. */
function webResources(rack: string): Resources {
  return {
    Balancer: {
      Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
      Properties: {
        Type: 'application',
        Scheme: 'internet-facing',
        Subnets: balancerSubnets,
        SecurityGroups: [ref('BalancersGroup'), ref('WebGroup')],
        LoadBalancerAttributes: attributes({
          'idle_timeout.timeout_seconds': '3600',
          'routing.http.preserve_host_header.enabled': 'true',
          'routing.http.drop_invalid_header_fields.enabled': 'false',
        }),
        Tags: tagsOf(rack),
      },
    },
    HttpListener: {
      Type: 'AWS::ElasticLoadBalancingV2::Listener',
      Properties: {
        LoadBalancerArn: ref('Balancer'),
        Port: 80,
        Protocol: 'HTTP',
        DefaultActions: [
          {
            Type: 'fixed-response',
            FixedResponseConfig: { StatusCode: '404', ContentType: 'text/plain' },
          },
        ],
      },
    },
  }
}

function networkBalancerOf(rack: string) {
  return {
    Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    Properties: {
      Type: 'network',
      Scheme: 'internet-facing',
      Subnets: balancerSubnets,
      SecurityGroups: [ref('BalancersGroup'), ref('PortsGroup')],
      LoadBalancerAttributes: attributes({ 'load_balancing.cross_zone.enabled': 'true' }),
      Tags: tagsOf(rack),
    },
  }
}

/** What has stopped is told by ECS for an hour; here it is known for two weeks. */
function logResources(rack: string): Resources {
  const group = (name: keyof typeof ownGroups) => ({
    Type: 'AWS::Logs::LogGroup',
    Properties: { LogGroupName: logName(rack, name), RetentionInDays: 14, Tags: tagsOf(rack) },
  })
  const stopped = 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Stopped}'
  const delivery = {
    Effect: 'Allow',
    Principal: { Service: ['events.amazonaws.com', 'delivery.logs.amazonaws.com'] },
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: `${stopped}:*`,
  }
  return {
    Builds: group('Builds'),
    Stopped: group('Stopped'),
    StoppedPolicy: {
      Type: 'AWS::Logs::ResourcePolicy',
      Properties: {
        PolicyName: `rack-${rack}-stopped`,
        PolicyDocument: sub(JSON.stringify({ Version: '2012-10-17', Statement: [delivery] })),
      },
    },
    StoppedTasks: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Description: `tasks of the rack ${rack} that have stopped`,
        EventPattern: {
          source: ['aws.ecs'],
          'detail-type': ['ECS Task State Change'],
          detail: { clusterArn: [att('Cluster', 'Arn')], lastStatus: ['STOPPED'] },
        },
        Targets: [{ Id: 'stopped', Arn: sub(stopped) }],
      },
      // Without it the first events would be refused.
      DependsOn: 'StoppedPolicy',
    },
  }
}

function buildProject(rack: string, image: string) {
  return {
    Type: 'AWS::CodeBuild::Project',
    Properties: {
      Name: `rack-${rack}-builds`,
      Description: `builds of the rack ${rack}`,
      ServiceRole: att('BuildRole', 'Arn'),
      Source: {
        Type: 'NO_SOURCE',
        BuildSpec: JSON.stringify({
          version: '0.2',
          phases: { build: { commands: ['rack-build-in-account'] } },
        }),
      },
      Artifacts: { Type: 'NO_ARTIFACTS' },
      Environment: {
        Type: 'LINUX_CONTAINER',
        ComputeType: 'BUILD_GENERAL1_MEDIUM',
        PrivilegedMode: true,
        Image: image,
        ImagePullCredentialsType: 'SERVICE_ROLE',
      },
      LogsConfig: { CloudWatchLogs: { Status: 'ENABLED', GroupName: ref('Builds') } },
      TimeoutInMinutes: 60,
      Tags: tagsOf(rack),
    },
  }
}
