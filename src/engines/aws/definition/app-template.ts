import type { Owner } from '../../../domain/owner.ts'
import { logGroupName, ownerWord, repositoryName, roleName, tagNames } from '../names.ts'
import type { AwsPlaces } from '../../../domain/aws-places.ts'

/** How long lines of processes are kept. */
export const logDays = 30

export interface AppTemplateInput {
  rack: string
  owner: Owner
  places: Pick<
    AwsPlaces,
    'region' | 'account' | 'vpc' | 'securityGroups' | 'fileSystem' | 'key' | 'roleBoundary'
  >
  /** Ids of the access points of its volumes, sorted. */
  accessPoints: string[]
}

/** The resources of an app that outlive its releases (aws.md 2.1, 2.3). Pure. */
export function appTemplate(input: AppTemplateInput): object {
  const { rack, owner, places } = input
  return {
    Description: `${ownerWord(owner)} of the rack ${rack}`,
    Resources: {
      Logs: {
        Type: 'AWS::Logs::LogGroup',
        Properties: { LogGroupName: logGroupName(rack, owner), RetentionInDays: logDays, Tags: tags(input) },
      },
      Repository: {
        Type: 'AWS::ECR::Repository',
        Properties: { RepositoryName: repositoryName(rack, owner), EmptyOnDelete: true, Tags: tags(input) },
      },
      SecurityGroup: {
        Type: 'AWS::EC2::SecurityGroup',
        Properties: {
          GroupDescription: `processes of ${ownerWord(owner)}`,
          VpcId: places.vpc,
          SecurityGroupIngress: ingress(input),
          Tags: tags(input),
        },
      },
      Inside: {
        Type: 'AWS::EC2::SecurityGroupIngress',
        Properties: {
          GroupId: { 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] },
          SourceSecurityGroupId: { 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] },
          IpProtocol: '-1',
        },
      },
      ExecutionRole: role(input, 'execution', executionStatements(input)),
      TaskRole: role(input, 'task', taskStatements(input)),
    },
    Outputs: {
      SecurityGroup: { Value: { 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] } },
      ExecutionRole: { Value: { 'Fn::GetAtt': ['ExecutionRole', 'Arn'] } },
      TaskRole: { Value: { 'Fn::GetAtt': ['TaskRole', 'Arn'] } },
    },
  }
}

function tags({ rack, owner }: AppTemplateInput) {
  return [
    { Key: tagNames.rack, Value: rack },
    { Key: tagNames.owner, Value: ownerWord(owner) },
  ]
}

/** The balancers and the daemon; of a service also every process, since any app may be linked to it. */
function ingress({ owner, places }: AppTemplateInput): object[] {
  const { balancers, daemon, processes } = places.securityGroups
  const all = [balancers, daemon, ...(owner.kind === 'service' ? [processes] : [])]
  return [...new Set(all)].map((group) => ({ IpProtocol: '-1', SourceSecurityGroupId: group }))
}

function role(
  { rack, owner, places }: AppTemplateInput,
  kind: 'execution' | 'task',
  statements: object[],
): object {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Path: `/rack/${rack}/app/`,
      RoleName: roleName(rack, owner, kind),
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      ...(places.roleBoundary && { PermissionsBoundary: places.roleBoundary }),
      Policies: [{ PolicyName: kind, PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  }
}

function executionStatements({ rack, owner, places }: AppTemplateInput): object[] {
  const { region, account, key } = places
  const own = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`
  return [
    { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
    {
      Effect: 'Allow',
      Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability'],
      Resource: [repositoryName(rack, owner), `rack/${rack}`].map((name) => own('ecr', `repository/${name}`)),
    },
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: own('logs', `log-group:${logGroupName(rack, owner)}:*`),
    },
    {
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: own('secretsmanager', `secret:rack/${rack}/${ownerWord(owner)}/*`),
    },
    ...(key ? [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: key }] : []),
  ]
}

function taskStatements({ places, accessPoints }: AppTemplateInput): object[] {
  const { region, account, fileSystem } = places
  const channels = ['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel']
  const own = (rest: string) => `arn:aws:elasticfilesystem:${region}:${account}:${rest}`
  return [
    { Effect: 'Allow', Action: channels.map((verb) => `ssmmessages:${verb}`), Resource: '*' },
    ...(accessPoints.length === 0
      ? []
      : [
          {
            Effect: 'Allow',
            Action: ['ClientMount', 'ClientWrite', 'ClientRootAccess'].map(
              (verb) => `elasticfilesystem:${verb}`,
            ),
            Resource: own(`file-system/${fileSystem}`),
            Condition: {
              StringEquals: {
                'elasticfilesystem:AccessPointArn': accessPoints.map((id) => own(`access-point/${id}`)),
              },
            },
          },
        ]),
  ]
}
