import { arnsHere } from './daemon.ts'
import { policy, ref, sub, type Resources } from './template.ts'

/** What bounds the roles of apps, whatever the account's owner gives them (aws.md 2.3). */
export function boundaryResources(rack: string): Resources {
  return {
    Boundary: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: `rack-${rack}-boundary`,
        Path: `/rack/${rack}/`,
        Description: `what no process of the rack ${rack} may do, whatever its role says`,
        PolicyDocument: policy(...statements(rack)),
      },
    },
  }
}

/** Policies that a user gives to an app's role lead no further: neither to other roles nor to the rack's own data. */
function statements(rack: string): object[] {
  const beyond = ['iam:*', 'sts:*', 'organizations:*', 'account:*', 'cloudformation:*']
  return [
    { Effect: 'Allow', NotAction: beyond, Resource: '*' },
    {
      Effect: 'Deny',
      Action: 's3:*',
      Resource: ['', '/*'].map((rest) => sub(`arn:\${AWS::Partition}:s3:::\${Bucket}${rest}`)),
    },
    // What opens the store of a daemon inside, and the store itself.
    {
      Effect: 'Deny',
      Action: 'secretsmanager:*',
      Resource: arnsHere('secretsmanager', `secret:rack/${rack}/_*`),
    },
    { Effect: 'Deny', Action: 'rds:*', Resource: arnsHere('rds', `db:rack-${rack}-base-*`) },
    {
      Effect: 'Deny',
      Action: ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:CreateGrant'],
      Resource: ref('Key'),
    },
  ]
}
