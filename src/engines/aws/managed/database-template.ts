import type { Owner } from '../../../domain/owner.ts'
import type { ManagedService } from '../../../domain/service.ts'
import { ownerTag, tagNames } from '../names.ts'
import type { AwsPlaces } from '../../../domain/aws-places.ts'
import { databaseClass } from './database-class.ts'

export interface DatabaseTemplateInput {
  rack: string
  /** Its password is a parameter of the stack, and not in here. */
  managed: Omit<ManagedService, 'password'>
  places: Pick<AwsPlaces, 'vpc' | 'subnets' | 'securityGroups' | 'key'>
}

/** How RDS calls what a kind of service is, and what differs from its own settings. */
interface DatabaseEngine {
  engine: string
  /** Under which the administrator logs in. */
  admin: string
  /** Of the parameter group of a version. */
  family: (version: string) => string
  port: number
  settings: Record<string, string>
}

export const databaseEngines: Record<string, DatabaseEngine> = {
  postgres: {
    engine: 'postgres',
    admin: 'postgres',
    family: (version) => `postgres${version.split('.')[0]}`,
    port: 5432,
    settings: {
      // As on one machine: what an app's driver does without being told must work (D: it is 1 from 15 on).
      'rds.force_ssl': '0',
      // A statement that fails is in the server's log, where a password must not be.
      log_min_error_statement: 'panic',
      log_statement: 'none',
    },
  },
  mysql: {
    engine: 'mysql',
    // D: `root` is none that RDS takes.
    admin: 'admin',
    family: (version) => `mysql${version.split('.').slice(0, 2).join('.')}`,
    port: 3306,
    settings: {
      require_secure_transport: '0',
      // D: RDS keeps a binary log, and gives nobody the right without which a server that has one takes no trigger.
      log_bin_trust_function_creators: '1',
    },
  },
}

/** The logical name of the database in its stack. */
export const databaseResource = 'Database'

/** The stack of a service that RDS runs (aws.md 1.8, 2.1). Pure. @throws invalid for more than RDS has */
export function databaseTemplate(input: DatabaseTemplateInput): object {
  const { managed, places } = input
  const { family, settings } = databaseEngines[managed.kind]!
  const [about, tags] = [aboutOf(input), tagsOf(input)]
  return {
    Description: about,
    Parameters: { Password: { Type: 'String', NoEcho: true } },
    Resources: {
      SecurityGroup: securityGroup(input),
      Subnets: {
        Type: 'AWS::RDS::DBSubnetGroup',
        Properties: { DBSubnetGroupDescription: about, SubnetIds: places.subnets, Tags: tags },
      },
      Settings: {
        Type: 'AWS::RDS::DBParameterGroup',
        Properties: { Description: about, Family: family(managed.version), Parameters: settings, Tags: tags },
      },
      [databaseResource]: database(input),
    },
    Outputs: {
      Host: { Value: { 'Fn::GetAtt': [databaseResource, 'Endpoint.Address'] } },
      Port: { Value: { 'Fn::GetAtt': [databaseResource, 'Endpoint.Port'] } },
    },
  }
}

const aboutOf = ({ rack, managed: { name } }: DatabaseTemplateInput) =>
  `the service ${name} of the rack ${rack}`

function tagsOf({ rack, managed: { name } }: DatabaseTemplateInput) {
  const owner: Owner = { kind: 'service', name }
  return [
    { Key: tagNames.rack, Value: rack },
    { Key: tagNames.owner, Value: ownerTag(owner) },
  ]
}

/** Every process of the rack, since any app may be linked to it, and the daemon. */
function securityGroup(input: DatabaseTemplateInput): object {
  const { managed, places } = input
  const { port } = databaseEngines[managed.kind]!
  const { processes, daemon } = places.securityGroups
  return {
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: aboutOf(input),
      VpcId: places.vpc,
      SecurityGroupIngress: [...new Set([processes, daemon])].map((group) => ({
        IpProtocol: 'tcp',
        FromPort: port,
        ToPort: port,
        SourceSecurityGroupId: group,
      })),
      Tags: tagsOf(input),
    },
  }
}

function database(input: DatabaseTemplateInput): object {
  const { managed, places } = input
  const { engine, admin, port } = databaseEngines[managed.kind]!
  return {
    Type: 'AWS::RDS::DBInstance',
    // What was in it outlives it, whoever deletes it.
    DeletionPolicy: 'Snapshot',
    UpdateReplacePolicy: 'Snapshot',
    Properties: {
      Engine: engine,
      EngineVersion: managed.version,
      DBInstanceClass: databaseClass(managed),
      AllocatedStorage: '20',
      MaxAllocatedStorage: 1000,
      StorageType: 'gp3',
      StorageEncrypted: true,
      ...(places.key && { KmsKeyId: places.key }),
      MasterUsername: admin,
      MasterUserPassword: { Ref: 'Password' },
      Port: String(port),
      DBSubnetGroupName: { Ref: 'Subnets' },
      DBParameterGroupName: { Ref: 'Settings' },
      VPCSecurityGroups: [{ 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] }],
      PubliclyAccessible: false,
      BackupRetentionPeriod: 7,
      AutoMinorVersionUpgrade: true,
      DeletionProtection: true,
      CopyTagsToSnapshot: true,
      Tags: tagsOf(input),
    },
  }
}
