import { apiHostOf, apiPort, daemonName, type InsideInput } from './inside.ts'
import { storeDatabase } from './store.ts'
import { att, ref, sub, tagsOf, type Resources } from './template.ts'

export interface DaemonInput {
  rack: string
  inside: InsideInput
  /** Reference of the daemon's image; null before it is made. */
  image: string | null
}

/** What the base stack's outputs give to the daemon's part of the rack's, and whoever imports the certificate. */
export const daemonParameters = [
  'Vpc',
  'Subnets',
  'PublicAddress',
  'DaemonGroup',
  'FileSystem',
  'Zone',
  'StoreHost',
  'StorePort',
  'StorePassword',
  'StoreKey',
] as const

/** ARN of the certificate that the API shows: not of the base, but of whoever has imported it. */
export const apiCertificateParameter = 'ApiCertificate'

/** The way to the API, the log of its daemon and, once there is an image, the daemon itself (aws.md 2.2). Pure. */
export function daemonResources({ rack, inside, image }: DaemonInput): Resources {
  return {
    ApiGroup: {
      Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
      Properties: {
        TargetType: 'ip',
        Protocol: 'HTTP',
        Port: apiPort,
        VpcId: ref('Vpc'),
        HealthCheckPath: '/v1/health',
        HealthCheckIntervalSeconds: 10,
        HealthCheckTimeoutSeconds: 5,
        HealthyThresholdCount: 2,
        UnhealthyThresholdCount: 3,
        Matcher: { HttpCode: '200' },
        // A request that takes longer, such as a followed log, is begun anew by its client.
        TargetGroupAttributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '10' }],
        Tags: tagsOf(rack),
      },
    },
    ApiRule: {
      Type: 'AWS::ElasticLoadBalancingV2::ListenerRule',
      Properties: {
        ListenerArn: ref('HttpsListener'),
        Priority: 1,
        Conditions: [
          { Field: 'host-header', HostHeaderConfig: { Values: [apiHostOf(rack)] } },
          ...(inside.allow.length > 0
            ? [{ Field: 'source-ip', SourceIpConfig: { Values: inside.allow } }]
            : []),
        ],
        Actions: [{ Type: 'forward', TargetGroupArn: ref('ApiGroup') }],
      },
    },
    DaemonLog: {
      Type: 'AWS::Logs::LogGroup',
      // No app and no service has a name with `_`.
      Properties: { LogGroupName: `/rack/${rack}/_daemon`, RetentionInDays: 30, Tags: tagsOf(rack) },
    },
    ...(image !== null && serviceResources({ rack, image })),
  }
}

function serviceResources({ rack, image }: { rack: string; image: string }): Resources {
  const name = daemonName(rack)
  return {
    DaemonTask: {
      Type: 'AWS::ECS::TaskDefinition',
      Properties: {
        Family: name,
        RequiresCompatibilities: ['FARGATE'],
        NetworkMode: 'awsvpc',
        Cpu: '512',
        Memory: '1024',
        RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
        TaskRoleArn: att('DaemonRole', 'Arn'),
        ExecutionRoleArn: att('DaemonExecutionRole', 'Arn'),
        ContainerDefinitions: [container(image)],
        Tags: tagsOf(rack),
      },
    },
    DaemonService: {
      Type: 'AWS::ECS::Service',
      // A group that no rule leads to is refused.
      DependsOn: 'ApiRule',
      Properties: {
        Cluster: ref('Cluster'),
        ServiceName: name,
        TaskDefinition: ref('DaemonTask'),
        DesiredCount: 1,
        CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE', Weight: 1 }],
        // Never two of them: one leaves before the next one comes.
        AvailabilityZoneRebalancing: 'DISABLED',
        DeploymentConfiguration: {
          MinimumHealthyPercent: 0,
          MaximumPercent: 100,
          DeploymentCircuitBreaker: { Enable: true, Rollback: false },
        },
        HealthCheckGracePeriodSeconds: 120,
        LoadBalancers: [{ ContainerName: 'daemon', ContainerPort: apiPort, TargetGroupArn: ref('ApiGroup') }],
        NetworkConfiguration: {
          AwsvpcConfiguration: {
            Subnets: { 'Fn::Split': [',', ref('Subnets')] },
            SecurityGroups: [ref('DaemonGroup')],
            AssignPublicIp: ref('PublicAddress'),
          },
        },
        PropagateTags: 'SERVICE',
        Tags: tagsOf(rack),
      },
    },
  }
}

/** Secrets come from where the account keeps them: none is in the definition. */
function container(image: string): object {
  const variables: Record<string, unknown> = {
    RACK_INSTALLATION: ref('Bucket'),
    RACK_DATABASE_HOST: ref('StoreHost'),
    RACK_DATABASE_PORT: ref('StorePort'),
    RACK_DATABASE_NAME: storeDatabase.name,
    RACK_DATABASE_USER: storeDatabase.user,
  }
  return {
    Name: 'daemon',
    Image: image,
    Essential: true,
    PortMappings: [{ ContainerPort: apiPort, Protocol: 'tcp' }],
    Environment: Object.entries(variables).map(([Name, Value]) => ({ Name, Value })),
    Secrets: [
      { Name: 'RACK_DATABASE_PASSWORD', ValueFrom: ref('StorePassword') },
      { Name: 'RACK_STORE_KEY', ValueFrom: ref('StoreKey') },
    ],
    StopTimeout: 30,
    LogConfiguration: {
      LogDriver: 'awslogs',
      Options: {
        'awslogs-group': ref('DaemonLog'),
        'awslogs-region': ref('AWS::Region'),
        'awslogs-stream-prefix': 'rack',
        mode: 'non-blocking',
        'max-buffer-size': '25m',
      },
    },
  }
}

export function daemonOutputs({
  rack,
  image,
}: Pick<DaemonInput, 'rack' | 'image'>): Record<string, { Value: unknown }> {
  return {
    [apiCertificateParameter]: { Value: ref(apiCertificateParameter) },
    ApiHost: { Value: apiHostOf(rack) },
    StackRole: { Value: att('StackRole', 'Arn') },
    ...(image !== null && {
      DaemonService: { Value: att('DaemonService', 'Name') },
      DaemonImage: { Value: image },
    }),
  }
}

export const accountPlace = { own: 'arn:${AWS::Partition}', here: '${AWS::Region}:${AWS::AccountId}' }

/** ARNs of the account and the Region of the stack, of one service. */
export const arnsHere = (service: string, ...ends: string[]): object[] =>
  ends.map((end) => sub(`${accountPlace.own}:${service}:${accountPlace.here}:${end}`))
