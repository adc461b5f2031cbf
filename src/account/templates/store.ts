import type { NetworkPlaces } from './network.ts'
import { att, ref, sub, tagsOf, type Resources } from './template.ts'

/** The logical name of the store in the base stack. */
export const storeResource = 'Store'

const port = '5432'
const user = 'rack'

/** What the daemon connects to, beside host and password. */
export const storeDatabase = { name: 'rack', user }

/**
 * The store of a daemon inside the account: a Postgres that RDS runs, reached by the daemon alone, and two secrets that
 * the account makes. RDS would give its own password another value each week, which a running daemon would not hear of.
 */
export function storeResources(rack: string, { vpc, subnets }: NetworkPlaces): Resources {
  const about = `the store of the rack ${rack}`
  const tags = tagsOf(rack, 'store')
  return {
    StoreGroup: {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: {
        GroupDescription: about,
        VpcId: vpc,
        SecurityGroupIngress: [
          {
            IpProtocol: 'tcp',
            FromPort: Number(port),
            ToPort: Number(port),
            SourceSecurityGroupId: att('Daemon', 'GroupId'),
          },
        ],
        Tags: tags,
      },
    },
    StoreSubnets: {
      Type: 'AWS::RDS::DBSubnetGroup',
      Properties: { DBSubnetGroupDescription: about, SubnetIds: subnets, Tags: tags },
    },
    StorePassword: secret(rack, `rack/${rack}/_store-password`, 'opens the store'),
    // Without it the last snapshot of the store and backups of services in the bucket are closed for good: it stays with
    // them. Its name ends with the stack's own id, so that the next rack of the name is not in its way.
    StoreKey: {
      ...secret(rack, storeKeyName(rack), 'seals what is secret in the store'),
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    },
    [storeResource]: database(tags),
  }
}

function database(Tags: object[]): Resources[string] {
  return {
    Type: 'AWS::RDS::DBInstance',
    // What was in it outlives it, whoever deletes it.
    DeletionPolicy: 'Snapshot',
    UpdateReplacePolicy: 'Snapshot',
    Properties: {
      Engine: 'postgres',
      // The one that the store is tested with; the account takes its newest minor version.
      EngineVersion: '15',
      DBInstanceClass: 'db.t4g.micro',
      DBName: storeDatabase.name,
      AllocatedStorage: '20',
      MaxAllocatedStorage: 200,
      StorageType: 'gp3',
      StorageEncrypted: true,
      KmsKeyId: att('Key', 'Arn'),
      MasterUsername: user,
      MasterUserPassword: sub('{{resolve:secretsmanager:${StorePassword}:SecretString}}'),
      Port: port,
      DBSubnetGroupName: ref('StoreSubnets'),
      VPCSecurityGroups: [att('StoreGroup', 'GroupId')],
      PubliclyAccessible: false,
      BackupRetentionPeriod: 7,
      AutoMinorVersionUpgrade: true,
      DeletionProtection: true,
      CopyTagsToSnapshot: true,
      Tags,
    },
  }
}

/** An ARN of a stack is `…:stack/NAME/UUID`. */
const storeKeyName = (rack: string) => ({
  'Fn::Join': [
    '-',
    [`rack/${rack}/_store-key`, { 'Fn::Select': [2, { 'Fn::Split': ['/', ref('AWS::StackId')] }] }],
  ],
})

/** Names of theirs have a `_` as no app's has, so that none of a release is called so. */
function secret(rack: string, Name: unknown, about: string): Resources[string] {
  return {
    Type: 'AWS::SecretsManager::Secret',
    Properties: {
      Name,
      Description: `${about} of the rack ${rack}`,
      KmsKeyId: att('Key', 'Arn'),
      // Another one makes another value, also of a secret that stays (D): installers refuse it as they refuse a loss.
      // Letters and digits: RDS takes not all else (D), and 48 of them are 285 bits.
      GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true },
      Tags: tagsOf(rack),
    },
  }
}

export function storeOutputs({ assignsPublicIp }: NetworkPlaces): Record<string, { Value: unknown }> {
  return {
    // As a service of ECS is told it.
    PublicAddress: { Value: assignsPublicIp ? 'ENABLED' : 'DISABLED' },
    Store: { Value: ref(storeResource) },
    StoreHost: { Value: att(storeResource, 'Endpoint.Address') },
    StorePort: { Value: att(storeResource, 'Endpoint.Port') },
    StorePassword: { Value: ref('StorePassword') },
    StoreKey: { Value: ref('StoreKey') },
  }
}
