import type { ManagedService } from '../../../domain/service.ts'
import { databaseClass } from './machine-class.ts'
import { aboutOf, securityGroup, tagsOf, type ManagedTemplateInput } from './template-parts.ts'

/** How RDS calls what a kind of service is, and what differs from its own settings. */
interface DatabaseEngine {
  engine: string
  /** Under which the administrator logs in. */
  admin: string
  /** Of a version: within one RDS takes it to newer ones by itself, and from one to the next when it is asked to. */
  series: (version: string) => string
  port: number
  settings: Record<string, string>
}

export const databaseEngines: Record<string, DatabaseEngine> = {
  postgres: {
    engine: 'postgres',
    admin: 'postgres',
    series: (version) => version.split('.')[0]!,
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
    series: (version) => version.split('.').slice(0, 2).join('.'),
    port: 3306,
    settings: {
      require_secure_transport: '0',
      // D: RDS keeps a binary log, and gives nobody the right without which a server that has one takes no trigger.
      log_bin_trust_function_creators: '1',
    },
  },
}

/** Whether RDS runs services of a kind. Pure. */
export const isDatabase = ({ kind }: Pick<ManagedService, 'kind'>): boolean =>
  Object.hasOwn(databaseEngines, kind)

/** The logical name of the database in its stack. */
export const databaseResource = 'Database'

/** The stack of a service that RDS runs (aws.md 1.8, 2.1). Pure. @throws invalid for more than RDS has */
export function databaseTemplate(input: ManagedTemplateInput): object {
  const { managed, places } = input
  const { engine, series, port, settings } = databaseEngines[managed.kind]!
  const family = engine + series(managed.version)
  const [about, tags] = [aboutOf(input), tagsOf(input)]
  return {
    Description: about,
    Parameters: { Password: { Type: 'String', NoEcho: true } },
    Resources: {
      SecurityGroup: securityGroup(input, port),
      Subnets: {
        Type: 'AWS::RDS::DBSubnetGroup',
        Properties: { DBSubnetGroupDescription: about, SubnetIds: places.subnets, Tags: tags },
      },
      Settings: {
        Type: 'AWS::RDS::DBParameterGroup',
        Properties: { Description: about, Family: family, Parameters: settings, Tags: tags },
      },
      [databaseResource]: database(input),
    },
    Outputs: {
      Host: { Value: { 'Fn::GetAtt': [databaseResource, 'Endpoint.Address'] } },
      Port: { Value: { 'Fn::GetAtt': [databaseResource, 'Endpoint.Port'] } },
    },
  }
}

function database(input: ManagedTemplateInput): object {
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
      AllowMajorVersionUpgrade: true,
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
