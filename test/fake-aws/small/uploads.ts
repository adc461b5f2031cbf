import { createHash, randomBytes } from 'node:crypto'
import type * as sdk from '@aws-sdk/client-s3'
import { AwsError, type FakeService } from '../fake-service.ts'
import { assertModelled } from '../modelled.ts'

export interface StoredObject {
  key: string
  bytes: Uint8Array
  etag: string
  type: string | undefined
  metadata: Record<string, string>
  modifiedAt: Date
}

/** The SDK adds a checksum of its own to what it sends (S); it is not checked here. */
export const ofChecksums = [
  'ChecksumAlgorithm',
  'ChecksumCRC32',
  'ChecksumCRC64NVME',
  'ChecksumMode',
  'ContentMD5',
  'ContentLength',
]

/** Where whole objects go. */
interface Buckets {
  bucket(name: string | undefined): Map<string, StoredObject>
  keep(bucket: Map<string, StoredObject>, object: Omit<StoredObject, 'modifiedAt'>): void
}

interface OpenUpload {
  bucket: string
  key: string
  parts: Map<number, { bytes: Uint8Array; etag: string }>
}

type UploadPart = Omit<sdk.UploadPartRequest, 'Body'> & { Body?: Uint8Array }

/** D: of every part but the last. */
const leastPartBytes = 5 * 2 ** 20
const mostParts = 10_000

export const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`

/** Objects that come in parts: nobody sees one before all of it is there (D: multipart upload). */
export function createUploads(buckets: Buckets): { actions: FakeService['actions']; open: () => string[] } {
  const uploads = new Map<string, OpenUpload>()
  const find = ({ Bucket, Key, UploadId = '' }: { Bucket?: string; Key?: string; UploadId?: string }) => {
    buckets.bucket(Bucket)
    const upload = uploads.get(UploadId)
    if (!upload || upload.bucket !== Bucket || upload.key !== Key)
      throw new AwsError('NoSuchUpload', 'The specified upload does not exist.', 404)
    return upload
  }
  const actions: FakeService['actions'] = {
    async CreateMultipartUpload(input: sdk.CreateMultipartUploadRequest) {
      assertModelled(input, ['Bucket', 'Key', ...ofChecksums], 'CreateMultipartUpload')
      const { Bucket = '', Key = '' } = input
      buckets.bucket(Bucket)
      const UploadId = randomBytes(32).toString('hex')
      uploads.set(UploadId, { bucket: Bucket, key: Key, parts: new Map() })
      return { Bucket, Key, UploadId }
    },
    async UploadPart(input: UploadPart) {
      assertModelled(input, ['Bucket', 'Key', 'UploadId', 'PartNumber', 'Body', ...ofChecksums], 'UploadPart')
      const { PartNumber = 0, Body: bytes = new Uint8Array() } = input
      const { parts } = find(input)
      if (!(PartNumber >= 1 && PartNumber <= mostParts))
        throw new AwsError('InvalidArgument', `Part number must be an integer between 1 and ${mostParts}`)
      const etag = etagOf(bytes)
      parts.set(PartNumber, { bytes, etag })
      return { ETag: etag }
    },
    async CompleteMultipartUpload(input: sdk.CompleteMultipartUploadRequest) {
      const known = ['Bucket', 'Key', 'UploadId', 'MultipartUpload', ...ofChecksums]
      assertModelled(input, known, 'CompleteMultipartUpload')
      const upload = find(input)
      const parts = chosen(upload, input.MultipartUpload?.Parts ?? [])
      const bytes = Buffer.concat(parts)
      // D: an ETag of parts is no digest of the whole.
      const digests = parts.map((part) => createHash('md5').update(part).digest())
      const etag = `"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}"`
      const object = { key: upload.key, bytes, etag, type: undefined, metadata: {} }
      buckets.keep(buckets.bucket(upload.bucket), object)
      uploads.delete(input.UploadId!)
      return { Bucket: upload.bucket, Key: upload.key, ETag: etag }
    },
    async AbortMultipartUpload(input: sdk.AbortMultipartUploadRequest) {
      assertModelled(input, ['Bucket', 'Key', 'UploadId'], 'AbortMultipartUpload')
      find(input)
      uploads.delete(input.UploadId!)
      return {}
    },
  }
  return { actions, open: () => [...uploads.values()].map(({ key }) => key) }
}

/** D: CompleteMultipartUpload takes parts in order, as they were uploaded, none but the last one short. */
function chosen({ parts }: OpenUpload, wanted: sdk.CompletedPart[]): Uint8Array[] {
  if (wanted.length === 0) throw new AwsError('MalformedXML', 'You must specify at least one part')
  const numbers = wanted.map(({ PartNumber = 0 }) => PartNumber)
  if (numbers.some((number, at) => at > 0 && number <= numbers[at - 1]!))
    throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.')
  const found = wanted.map(({ PartNumber = 0, ETag }) => {
    const part = parts.get(PartNumber)
    if (!part || part.etag !== ETag)
      throw new AwsError('InvalidPart', 'One or more of the specified parts could not be found.')
    return part.bytes
  })
  if (found.slice(0, -1).some(({ length }) => length < leastPartBytes))
    throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
  return found
}
