import { allow, policy, ref, sub, type Resources } from './template.ts'

export interface RoleInput {
  rack: string
  /** Name of the log group of builds; null where nothing is built in the account. */
  buildLogs: string | null
  permissionsBoundary: string | undefined
}

/** The role of builds, and what bounds the roles of apps (aws.md 2.3). */
export function roleResources({ rack, buildLogs, permissionsBoundary }: RoleInput): Resources {
  return {
    Boundary: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: `rack-${rack}-boundary`,
        Path: `/rack/${rack}/`,
        Description: `what no process of the rack ${rack} may do, whatever its role says`,
        PolicyDocument: policy(...boundaryStatements()),
      },
    },
    ...(buildLogs !== null && { BuildRole: buildRole({ rack, buildLogs, permissionsBoundary }) }),
  }
}

function buildRole({ rack, buildLogs, permissionsBoundary }: RoleInput & { buildLogs: string }) {
  return {
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
      Policies: [{ PolicyName: 'build', PolicyDocument: policy(...buildStatements(rack, buildLogs)) }],
    },
  }
}

/** Policies that a user gives to an app's role lead no further: neither to other roles nor to the rack's own data. */
function boundaryStatements(): object[] {
  const beyond = ['iam:*', 'organizations:*', 'account:*', 'cloudformation:*']
  return [
    { Effect: 'Allow', NotAction: beyond, Resource: '*' },
    {
      Effect: 'Deny',
      Action: 's3:*',
      Resource: ['', '/*'].map((rest) => sub(`arn:\${AWS::Partition}:s3:::\${Bucket}${rest}`)),
    },
    {
      Effect: 'Deny',
      Action: ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:CreateGrant'],
      Resource: ref('Key'),
    },
  ]
}

function buildStatements(rack: string, buildLogs: string): object[] {
  const own = 'arn:${AWS::Partition}'
  const here = '${AWS::Region}:${AWS::AccountId}'
  return [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], sub(`${own}:logs:${here}:log-group:${buildLogs}:*`)),
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
