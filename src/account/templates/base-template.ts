import { daemonDoor, groupResources } from './groups.ts'
import type { InsideInput } from './inside.ts'
import { networkResources, placesOfNetwork, type NetworkInput, type NetworkPlaces } from './network.ts'
import { storeOutputs, storeResources } from './store.ts'
import { allow, att, policy, ref, sub, tagsOf, type Resources, type Template } from './template.ts'

export interface BaseInput {
  rack: string
  network: NetworkInput
  /** Ranges of addresses from which a daemon outside the network reaches processes. */
  daemonFrom: string[]
  /** Of a daemon inside the account; absent where it runs elsewhere, and has its store there. */
  inside?: InsideInput
}

/** The stack that outlives everything: network, keys, data, names (aws.md 2.1). Pure. */
export function baseTemplate({ rack, network, daemonFrom, inside }: BaseInput): Template {
  const places = placesOfNetwork(network)
  const joined = (items: unknown[]) => ({ 'Fn::Join': [',', items] })
  return {
    Description: `What the rack ${rack} stands on: its network, its data, its names`,
    Resources: {
      ...networkResources(rack, network),
      ...groupResources(rack, places, daemonFrom),
      ...keyResources(rack),
      ...bucketResources(rack),
      ...fileResources(rack, places),
      ...nameResources(rack, places),
      ...(inside && { ...daemonDoor(), ...storeResources(rack, places) }),
    },
    Outputs: {
      Account: { Value: ref('AWS::AccountId') },
      Region: { Value: ref('AWS::Region') },
      Vpc: { Value: places.vpc },
      Subnets: { Value: joined(places.subnets) },
      BalancerSubnets: { Value: joined(places.balancerSubnets) },
      AssignsPublicIp: { Value: String(places.assignsPublicIp) },
      ...Object.fromEntries(groupNames.map((name) => [`${name}Group`, { Value: att(name, 'GroupId') }])),
      Key: { Value: att('Key', 'Arn') },
      Bucket: { Value: ref('Bucket') },
      FileSystem: { Value: ref('FileSystem') },
      Zone: { Value: ref('Zone') },
      Namespace: { Value: att('Namespace', 'Id') },
      ...(inside && storeOutputs(places)),
    },
  }
}

const groupNames = ['Processes', 'Balancers', 'Daemon', 'Web', 'Ports']

/** What holds data, or opens it. */
const kept = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' } as const

function keyResources(rack: string): Resources {
  const owner = allow('kms:*', '*', {
    Principal: { AWS: sub('arn:${AWS::Partition}:iam::${AWS::AccountId}:root') },
  })
  return {
    Key: {
      Type: 'AWS::KMS::Key',
      ...kept,
      Properties: {
        Description: `secrets and data of the rack ${rack}`,
        EnableKeyRotation: true,
        PendingWindowInDays: 30,
        KeyPolicy: policy(owner),
        Tags: tagsOf(rack),
      },
    },
    KeyAlias: {
      Type: 'AWS::KMS::Alias',
      Properties: { AliasName: `alias/rack-${rack}`, TargetKeyId: ref('Key') },
    },
  }
}

const plainTransport = { Bool: { 'aws:SecureTransport': 'false' } }

/** Whoever writes tokens there is the rack's administrator. What apps have of it is signed by the daemon, as itself. */
function refusals(rack: string): object[] {
  const Resource = [att('Bucket', 'Arn'), sub('${Bucket.Arn}/*')]
  const apps = sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/rack/${rack}/app/*`)
  const fromApps = { ArnLike: { 'aws:PrincipalArn': apps } }
  return [plainTransport, fromApps].map((Condition) => ({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource,
    Condition,
  }))
}

/** Without a name of its own: one that an earlier installation left behind keeps its name. */
function bucketResources(rack: string): Resources {
  const byKey = {
    ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: att('Key', 'Arn') },
    BucketKeyEnabled: true,
  }
  return {
    Bucket: {
      Type: 'AWS::S3::Bucket',
      ...kept,
      Properties: {
        BucketEncryption: { ServerSideEncryptionConfiguration: [byKey] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: [
            {
              Id: 'unfinished',
              Status: 'Enabled',
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
          ],
        },
        Tags: tagsOf(rack),
      },
    },
    BucketPolicy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: ref('Bucket'),
        PolicyDocument: policy(...refusals(rack)),
      },
    },
  }
}

function fileResources(rack: string, { subnets }: NetworkPlaces): Resources {
  const deny = { Effect: 'Deny', Principal: { AWS: '*' }, Action: '*', Condition: plainTransport }
  const targets = subnets.map((subnet, at): [string, Resources[string]] => [
    `FileTarget${at + 1}`,
    {
      Type: 'AWS::EFS::MountTarget',
      Properties: {
        FileSystemId: ref('FileSystem'),
        SubnetId: subnet,
        SecurityGroups: [att('Files', 'GroupId')],
      },
    },
  ])
  return {
    FileSystem: {
      Type: 'AWS::EFS::FileSystem',
      ...kept,
      Properties: {
        Encrypted: true,
        KmsKeyId: att('Key', 'Arn'),
        ThroughputMode: 'elastic',
        FileSystemPolicy: policy(deny),
        FileSystemTags: tagsOf(rack, 'volumes'),
      },
    },
    ...Object.fromEntries(targets),
  }
}

/** An answer that there is no such name is kept for as long as the SOA record says: five seconds. */
function nameResources(rack: string, { vpc }: NetworkPlaces): Resources {
  return {
    Zone: {
      Type: 'AWS::Route53::HostedZone',
      Properties: {
        Name: `${rack}.internal`,
        HostedZoneConfig: { Comment: `names inside the rack ${rack}` },
        HostedZoneTags: tagsOf(rack),
        VPCs: [{ VPCId: vpc, VPCRegion: ref('AWS::Region') }],
      },
    },
    Namespace: {
      Type: 'AWS::ServiceDiscovery::PrivateDnsNamespace',
      Properties: {
        Name: `members.${rack}.internal`,
        Vpc: vpc,
        Properties: { DnsProperties: { SOA: { TTL: 5 } } },
        Tags: tagsOf(rack),
      },
    },
  }
}
