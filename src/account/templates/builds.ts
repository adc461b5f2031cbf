import { buildEnvironmentImage, buildspec, imageVariable } from '../../aws/build-spec.ts'
import { allow, att, policy, ref, sub, tagsOf, type Resources } from './template.ts'

export interface BuildsInput {
  rack: string
  /** Reference of the rack's own image, in which the program of builds is. */
  builder: string
  permissionsBoundary: string | undefined
}

/** CodeBuild's project, its role and its log (aws.md 1.8, 2.3). */
export function buildResources({ rack, builder, permissionsBoundary }: BuildsInput): Resources {
  // No app and no service has a name with `_`.
  const logs = `/rack/${rack}/_builds`
  return {
    Builds: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: logs, RetentionInDays: 14, Tags: tagsOf(rack) },
    },
    BuildRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: `rack-${rack}-build`,
        Path: `/rack/${rack}/`,
        AssumeRolePolicyDocument: policy({
          Effect: 'Allow',
          Principal: { Service: 'codebuild.amazonaws.com' },
          Action: 'sts:AssumeRole',
        }),
        ...(permissionsBoundary && { PermissionsBoundary: permissionsBoundary }),
        Policies: [{ PolicyName: 'build', PolicyDocument: policy(...statements(rack, logs)) }],
      },
    },
    BuildProject: {
      Type: 'AWS::CodeBuild::Project',
      Properties: {
        Name: `rack-${rack}-builds`,
        Description: `builds of the rack ${rack}`,
        ServiceRole: att('BuildRole', 'Arn'),
        Source: { Type: 'NO_SOURCE', BuildSpec: buildspec },
        Artifacts: { Type: 'NO_ARTIFACTS' },
        Environment: {
          Type: 'LINUX_CONTAINER',
          ComputeType: 'BUILD_GENERAL1_MEDIUM',
          PrivilegedMode: true,
          Image: buildEnvironmentImage,
          // S: of AWS's own image nobody else's are taken.
          ImagePullCredentialsType: 'CODEBUILD',
          EnvironmentVariables: [{ Name: imageVariable, Type: 'PLAINTEXT', Value: builder }],
        },
        LogsConfig: { CloudWatchLogs: { Status: 'ENABLED', GroupName: ref('Builds') } },
        TimeoutInMinutes: 60,
        Tags: tagsOf(rack),
      },
    },
  }
}

function statements(rack: string, logs: string): object[] {
  const own = 'arn:${AWS::Partition}'
  const here = '${AWS::Region}:${AWS::AccountId}'
  return [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], sub(`${own}:logs:${here}:log-group:${logs}:*`)),
    allow('s3:GetObject', sub(`${own}:s3:::\${Bucket}/sources/*`)),
    allow('kms:Decrypt', ref('Key')),
    allow('ecr:GetAuthorizationToken', '*'),
    allow(
      [
        'ecr:BatchCheckLayerAvailability',
        'ecr:BatchGetImage',
        'ecr:CompleteLayerUpload',
        'ecr:DescribeImages',
        'ecr:GetDownloadUrlForLayer',
        'ecr:InitiateLayerUpload',
        'ecr:PutImage',
        'ecr:UploadLayerPart',
      ],
      ['', '/*'].map((rest) => sub(`${own}:ecr:${here}:repository/rack/${rack}${rest}`)),
    ),
  ]
}
