import type { KeptResource } from '../aws/stack-events.ts'
import type { AwsPlaces } from '../domain/aws-places.ts'

/** What a rack's base leaves when it goes, as the base itself would say it: a base that is gone says nothing. Pure. */
export function heldResources({
  bucket,
  fileSystem,
  key,
}: Pick<AwsPlaces, 'bucket' | 'fileSystem' | 'key'>): KeptResource[] {
  return [
    { type: 'AWS::S3::Bucket', id: bucket },
    { type: 'AWS::EFS::FileSystem', id: fileSystem },
    ...(key ? [{ type: 'AWS::KMS::Key', id: key.replace(/^.*:key\//, '') }] : []),
  ]
}
