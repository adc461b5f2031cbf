import { RackError } from '../../../domain/error.ts'
import { shortHash } from '../../../lib/short-hash.ts'
import type { ManagedLogin, ManagedService } from '../../../domain/service.ts'
import { cacheClass } from './machine-class.ts'
import { aboutOf, securityGroup, tagsOf, type ManagedTemplateInput } from './template-parts.ts'

export interface CacheTemplateInput extends ManagedTemplateInput {
  /** Their passwords are parameters too, named by `passwordOf`. */
  logins: readonly Pick<ManagedLogin, 'username' | 'rights'>[]
}

/** How ElastiCache calls what a kind of service is. */
interface CacheEngine {
  port: number
  /** Of versions that are named by their first numbers alone, which ElastiCache does not take. */
  versions: Record<string, string>
  /** Of the parameter group of a version; null for one that knows no users and keeps nothing. */
  family: ((version: string) => string) | null
}

const majorFamily = (word: string) => (version: string) => word + version.split('.')[0]

/** D: "Supported engines and versions" of ElastiCache; cfn-lint has the same. */
export const cacheEngines: Record<string, CacheEngine> = {
  redis: { port: 6379, versions: { '7': '7.1' }, family: majorFamily('redis') },
  valkey: { port: 6379, versions: { '7': '7.2', '8': '8.2', '9': '9.0' }, family: majorFamily('valkey') },
  memcached: { port: 11_211, versions: { '1.4': '1.4.34', '1.5': '1.5.16', '1.6': '1.6.22' }, family: null },
}

/** The logical name of the cache in its stack. */
export const cacheResource = 'Cache'

/** Who is the administrator, since a client that names nobody is that one. */
export const cacheAdmin = 'default'

/** D: "Quotas for ElastiCache": users of a group, of which the administrator is one. */
const mostLogins = 99

/** D: "CloudFormation quotas": of the text of a template; some are left for what the stack itself adds. */
const mostBytes = 51_200 - 200

/** The parameter of the stack that has a login's password: short, as a template has room for so much. */
export const passwordOf = (username: string) => `P${shortHash(username)}`

/**
 * The stack of a service that ElastiCache runs, on one node. Pure.
 * @throws invalid for more than ElastiCache has; capacity for more logins than a cache lets in
 */
export function cacheTemplate(input: CacheTemplateInput): object {
  const { logins } = input
  if (logins.length > mostLogins) throw tooMany(input, `ElastiCache lets ${mostLogins} logins into`)
  const template = templateOf(input)
  if (fits(template)) return template
  const room = logins.findLastIndex((_, at) => fits(templateOf({ ...input, logins: logins.slice(0, at) })))
  throw tooMany(
    input,
    `a stack has room for ${room} of the ${logins.length} logins, of such prefixes, of`,
    'give shorter prefixes',
  )
}

const fits = (template: object) => Buffer.byteLength(JSON.stringify(template)) <= mostBytes

function templateOf(input: CacheTemplateInput): object {
  const { managed, places } = input
  const { port, family } = cacheEngines[managed.kind]!
  return {
    Description: aboutOf(input),
    ...(family && { Parameters: passwords(input) }),
    Resources: {
      SecurityGroup: securityGroup(input, port),
      Subnets: {
        Type: 'AWS::ElastiCache::SubnetGroup',
        Properties: { Description: aboutOf(input), SubnetIds: places.subnets, Tags: tagsOf(input) },
      },
      ...(family ? kept(input, family) : { [cacheResource]: forgetful(input) }),
    },
    Outputs: {
      Host: { Value: { 'Fn::GetAtt': [cacheResource, `${endpointOf(family)}.Address`] } },
      Port: { Value: { 'Fn::GetAtt': [cacheResource, `${endpointOf(family)}.Port`] } },
    },
  }
}

const tooMany = ({ managed: { name, kind } }: CacheTemplateInput, what: string, or?: string) =>
  new RackError('capacity', `${what} ${name}`, {
    hint: `Unlink an app,${or === undefined ? '' : ` ${or},`} or make another one: rack services create ${kind} --managed --name NAME`,
  })

const endpointOf = (family: CacheEngine['family']) => (family ? 'PrimaryEndPoint' : 'ConfigurationEndpoint')

function passwords(input: CacheTemplateInput): object {
  const names = ['Password', ...input.logins.map(({ username }) => passwordOf(username))]
  return Object.fromEntries(names.map((name) => [name, { Type: 'String', NoEcho: true }]))
}

/** Names of the account's own, of which two racks could have the same. */
function ownName({ rack, managed: { name, identity = '' } }: CacheTemplateInput, what = ''): string {
  return `rack-${shortHash([rack, name, identity, what].join('/'))}`
}

/** One that knows users, and whose data is kept. */
function kept(input: CacheTemplateInput, family: (version: string) => string): object {
  const { logins } = input
  const users = new Map([
    ['Administrator', userOf(input, { username: cacheAdmin, rights: 'on ~* &* +@all' }, 'Password')],
    ...logins.map(
      (login) =>
        [`Login${shortHash(login.username)}`, userOf(input, login, passwordOf(login.username))] as const,
    ),
  ])
  return {
    Settings: {
      Type: 'AWS::ElastiCache::ParameterGroup',
      Properties: {
        Description: aboutOf(input),
        CacheParameterGroupFamily: family(engineVersion(input.managed)),
        // As on one machine: what was written is there until somebody takes it away.
        Properties: { 'maxmemory-policy': 'noeviction' },
        Tags: tagsOf(input),
      },
    },
    ...Object.fromEntries(users),
    Users: {
      Type: 'AWS::ElastiCache::UserGroup',
      Properties: {
        UserGroupId: ownName(input, 'users'),
        Engine: input.managed.kind,
        UserIds: [...users.keys()].map((name) => ({ Ref: name })),
        Tags: tagsOf(input),
      },
    },
    [cacheResource]: replicationGroup(input),
  }
}

function userOf(
  input: CacheTemplateInput,
  { username, rights }: CacheTemplateInput['logins'][number],
  password: string,
): object {
  return {
    Type: 'AWS::ElastiCache::User',
    Properties: {
      UserId: ownName(input, `user ${username}`),
      UserName: username,
      Engine: input.managed.kind,
      AccessString: rights,
      // Without tags, which would fill the template: it has those of its stack.
      Passwords: [{ Ref: password }],
    },
  }
}

function replicationGroup(input: CacheTemplateInput): object {
  const { managed, places } = input
  return {
    Type: 'AWS::ElastiCache::ReplicationGroup',
    // What was in it outlives it, whoever deletes it.
    DeletionPolicy: 'Snapshot',
    UpdateReplacePolicy: 'Snapshot',
    Properties: {
      ReplicationGroupId: ownName(input),
      ReplicationGroupDescription: aboutOf(input),
      ...machineOf(managed),
      NumCacheClusters: 1,
      AutomaticFailoverEnabled: false,
      CacheParameterGroupName: { Ref: 'Settings' },
      CacheSubnetGroupName: { Ref: 'Subnets' },
      SecurityGroupIds: [{ 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] }],
      // D: without the first of them there are no users.
      TransitEncryptionEnabled: true,
      AtRestEncryptionEnabled: true,
      ...(places.key && { KmsKeyId: places.key }),
      UserGroupIds: [{ Ref: 'Users' }],
      SnapshotRetentionLimit: 7,
      AutoMinorVersionUpgrade: true,
      Tags: tagsOf(input),
    },
  }
}

/** One that knows nobody and keeps nothing. */
function forgetful(input: CacheTemplateInput): object {
  return {
    Type: 'AWS::ElastiCache::CacheCluster',
    Properties: {
      ClusterName: ownName(input),
      ...machineOf(input.managed),
      NumCacheNodes: 1,
      CacheSubnetGroupName: { Ref: 'Subnets' },
      VpcSecurityGroupIds: [{ 'Fn::GetAtt': ['SecurityGroup', 'GroupId'] }],
      AutoMinorVersionUpgrade: true,
      Tags: tagsOf(input),
    },
  }
}

function machineOf(managed: CacheTemplateInput['managed']): object {
  const { kind } = managed
  return {
    Engine: kind,
    EngineVersion: engineVersion(managed),
    CacheNodeType: cacheClass(managed),
    Port: cacheEngines[kind]!.port,
  }
}

function engineVersion({ kind, version }: Pick<ManagedService, 'kind' | 'version'>): string {
  const { versions } = cacheEngines[kind]!
  return Object.hasOwn(versions, version) ? versions[version]! : version
}
