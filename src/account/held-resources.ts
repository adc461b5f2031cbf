import type { KeptResource } from '../aws/stack-events.ts'
import type { AwsPlaces } from '../domain/aws-places.ts'

/** What the key of a store is, as CloudFormation calls it. */
export const secretType = 'AWS::SecretsManager::Secret'

/** What a rack's base leaves when it goes, as the base itself would say it: a base that is gone says nothing. Pure. */
export function heldResources({
  bucket,
  fileSystem,
  key,
  storeKey,
}: Pick<AwsPlaces, 'bucket' | 'fileSystem' | 'key'> & { storeKey?: string | undefined }): KeptResource[] {
  return [
    { type: 'AWS::S3::Bucket', id: bucket },
    { type: 'AWS::EFS::FileSystem', id: fileSystem },
    ...(storeKey ? [{ type: secretType, id: storeKey }] : []),
    ...(key ? [{ type: 'AWS::KMS::Key', id: key.replace(/^.*:key\//, '') }] : []),
  ]
}
