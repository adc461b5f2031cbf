import type { FakeAccount } from '../../fake-service.ts'
import type { KeyRing } from '../../small/keys.ts'
import type { FileSystemMaker } from '../../small/file-systems.ts'
import type { Buckets } from '../../small/objects.ts'
import type { SecretMaker } from '../../small/secrets.ts'
import {
  hex,
  idOf,
  plainModel,
  text,
  texts,
  type Inventory,
  type Properties,
  type ResourceModel,
} from './model.ts'

export interface StorageLinks {
  account: FakeAccount
  keys: KeyRing
  buckets: Buckets
  fileSystems: FileSystemMaker
  secrets: SecretMaker
}

/** Policies of buckets, keys and file systems are kept and not enforced. Times are guesses (J). */
export function storageModels(
  { account, keys, buckets, fileSystems, secrets }: StorageLinks,
  inventory: Inventory,
): Record<string, ResourceModel> {
  const assertKey = (key: unknown) => {
    if (key !== undefined && !keys.isUsable(text(key) ?? ''))
      throw new Error(`Key '${text(key)}' does not exist`)
  }
  return {
    'AWS::KMS::Key': {
      takesMs: 120_000,
      create() {
        const { id, arn } = keys.make()
        return { physical: id, attributes: { Arn: arn, KeyId: id } }
      },
      update: () => {},
      delete: ({ physical }, { PendingWindowInDays }) =>
        keys.scheduleDeletion(physical, Number(PendingWindowInDays)),
    },
    'AWS::KMS::Alias': plainModel(inventory, 'AWS::KMS::Alias', {
      takesMs: 60_000,
      make: ({ AliasName, TargetKeyId }) => {
        assertKey(TargetKeyId)
        return { physical: text(AliasName)!, attributes: {} }
      },
    }),
    'AWS::S3::Bucket': {
      takesMs: 22_000,
      named: 'BucketName',
      longestName: 63,
      create({ BucketName }, generated) {
        const name = text(BucketName) ?? generated.toLowerCase()
        if (buckets.has(name)) throw new Error(`${name} already exists`)
        buckets.add(name)
        return {
          physical: name,
          attributes: { Arn: `arn:aws:s3:::${name}`, DomainName: `${name}.s3.amazonaws.com` },
        }
      },
      update: () => {},
      delete: ({ physical }) => buckets.remove(physical),
    },
    'AWS::S3::BucketPolicy': plainModel(inventory, 'AWS::S3::BucketPolicy', {
      takesMs: 2000,
      make: ({ Bucket }) => {
        if (!buckets.has(text(Bucket)!)) throw new Error('The specified bucket does not exist')
        return { physical: `policy-of-${text(Bucket)}`, attributes: {} }
      },
    }),
    'AWS::EFS::FileSystem': {
      takesMs: 8000,
      create({ KmsKeyId }) {
        assertKey(KmsKeyId)
        const id = `fs-${hex(8)}0`
        fileSystems.add(id)
        const arn = `arn:aws:elasticfilesystem:${account.region}:${account.account}:file-system/${id}`
        return { physical: id, attributes: { Arn: arn, FileSystemId: id } }
      },
      update: () => {},
      delete: ({ physical }) => fileSystems.remove(physical),
    },
    'AWS::EFS::MountTarget': mountTarget(fileSystems, inventory),
    'AWS::SecretsManager::Secret': secret(secrets, assertKey),
  }
}

/** One whose value the account makes; another value is another secret's (D: a change of how it is made makes none). */
function secret(secrets: SecretMaker, assertKey: (key: unknown) => void): ResourceModel {
  return {
    takesMs: 3000,
    named: 'Name',
    create({ Name, KmsKeyId, GenerateSecretString, Tags, SecretString }, generated) {
      if (SecretString !== undefined || GenerateSecretString === undefined)
        throw new Error('the fake account has secrets alone whose value it makes itself')
      assertKey(KmsKeyId)
      const {
        PasswordLength = 32,
        ExcludePunctuation = false,
        ...others
      } = GenerateSecretString as Properties
      const [other] = Object.keys(others)
      if (other !== undefined) throw new Error(`the fake account knows no ${other} of a secret`)
      const arn = secrets.create({
        name: text(Name) ?? generated,
        length: Number(PasswordLength),
        isPlain: String(ExcludePunctuation) === 'true',
        tags: (Tags ?? []) as { Key: string; Value: string }[],
        ...(text(KmsKeyId) !== undefined && { key: text(KmsKeyId)! }),
      })
      return { physical: arn, attributes: { Id: arn } }
    },
    update: () => {},
    delete: ({ physical }) => secrets.remove(physical),
  }
}

/** One a zone of a file system (D). */
function mountTarget(fileSystems: FileSystemMaker, { subnets, securityGroups }: Inventory): ResourceModel {
  return {
    takesMs: 90_000,
    create({ FileSystemId, SubnetId, SecurityGroups }) {
      const zone = subnets.get(text(SubnetId) ?? '')
      if (zone === undefined) throw new Error(`The subnet ID '${text(SubnetId)}' does not exist`)
      const group = texts(SecurityGroups).find((id) => !securityGroups.has(id))
      if (group !== undefined) throw new Error(`The security group '${group}' does not exist`)
      const id = idOf('fsmt')
      fileSystems.mount(text(FileSystemId)!, { target: id, zone })
      return { physical: id, attributes: { Id: id } }
    },
    update: () => {},
    delete: ({ physical }) => fileSystems.unmount(physical),
  }
}
