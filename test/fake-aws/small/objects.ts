import { createHash } from 'node:crypto'
import * as sdk from '@aws-sdk/client-s3'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

interface StoredObject {
  key: string
  bytes: Uint8Array
  etag: string
  type: string | undefined
  metadata: Record<string, string>
  modifiedAt: Date
}

/** A request as the server reads it: the body is there as a whole. */
type PutObject = Omit<sdk.PutObjectRequest, 'Body'> & { Body?: Uint8Array }

/** Fewer than AWS gives, so that pages are met. */
const mostOnPage = 50

/** The SDK adds a checksum of its own to what it sends (S); it is not checked here. */
const ofChecksums = [
  'ChecksumAlgorithm',
  'ChecksumCRC32',
  'ChecksumCRC64NVME',
  'ChecksumMode',
  'ContentMD5',
  'ContentLength',
]

class Objects {
  readonly #account: FakeAccount
  readonly buckets = new Map<string, Map<string, StoredObject>>()

  constructor(account: FakeAccount) {
    this.#account = account
  }

  #bucket(name: string | undefined): Map<string, StoredObject> {
    const bucket = this.buckets.get(name ?? '')
    if (!bucket) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404)
    return bucket
  }

  put(input: PutObject): sdk.PutObjectOutput {
    const known = [
      'Bucket',
      'Key',
      'Body',
      'ContentType',
      'ContentEncoding',
      'Metadata',
      'IfNoneMatch',
      ...ofChecksums,
    ]
    assertModelled(input, known, 'PutObject')
    const bucket = this.#bucket(input.Bucket)
    const key = input.Key!
    if (Buffer.byteLength(key) > 1024) throw new AwsError('KeyTooLongError', 'Your key is too long')
    if (input.IfNoneMatch !== undefined && input.IfNoneMatch !== '*')
      throw new NotModelled('IfNoneMatch but *')
    // D: conditional writes.
    if (input.IfNoneMatch && bucket.has(key)) {
      throw new AwsError(
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold',
        412,
      )
    }
    const bytes = input.Body ?? new Uint8Array()
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    const modifiedAt = new Date(Math.floor(this.#account.clock.now() / 1000) * 1000)
    bucket.set(key, { key, bytes, etag, type: input.ContentType, metadata: input.Metadata ?? {}, modifiedAt })
    return { ETag: etag }
  }

  find(bucket: string | undefined, key: string | undefined, missing: string): StoredObject {
    const found = this.#bucket(bucket).get(key ?? '')
    if (!found) throw new AwsError(missing, 'The specified key does not exist.', 404)
    return found
  }

  head({ Bucket, Key }: sdk.HeadObjectRequest): sdk.HeadObjectOutput {
    return about(this.find(Bucket, Key, 'NotFound'))
  }

  get(input: sdk.GetObjectRequest): object {
    assertModelled(input, ['Bucket', 'Key', ...ofChecksums], 'GetObject')
    const found = this.find(input.Bucket, input.Key, 'NoSuchKey')
    return { ...about(found), Body: found.bytes }
  }

  /** What is not there is deleted too (D: DeleteObject). */
  delete(input: sdk.DeleteObjectRequest): object {
    assertModelled(input, ['Bucket', 'Key'], 'DeleteObject')
    this.#bucket(input.Bucket).delete(input.Key!)
    return {}
  }

  /** Listings of S3 are strongly consistent (D). */
  list(input: sdk.ListObjectsV2Request): sdk.ListObjectsV2Output {
    assertModelled(input, ['Bucket', 'Prefix', 'ContinuationToken', 'MaxKeys', 'StartAfter'], 'ListObjectsV2')
    const { Prefix = '', StartAfter = '', MaxKeys = 1000 } = input
    const found = [...this.#bucket(input.Bucket).values()].filter(
      ({ key }) => key.startsWith(Prefix) && key > StartAfter,
    )
    const pageSize = Math.min(MaxKeys, mostOnPage)
    const { page, next } = paged(found, input.ContinuationToken, {
      pageSize,
      key: ({ key }) => key,
      error: 'InvalidArgument',
    })
    const Contents = page.map(({ key, bytes, etag, modifiedAt }) => ({
      Key: key,
      Size: bytes.length,
      ETag: etag,
      LastModified: modifiedAt,
    }))
    return {
      Name: input.Bucket,
      Prefix,
      KeyCount: page.length,
      MaxKeys,
      IsTruncated: next !== undefined,
      Contents,
      ...(next && { NextContinuationToken: next }),
    }
  }
}

const about = ({ bytes, etag, type, metadata, modifiedAt }: StoredObject): sdk.HeadObjectOutput => ({
  ContentLength: bytes.length,
  ETag: etag,
  LastModified: modifiedAt,
  Metadata: metadata,
  ContentType: type ?? 'binary/octet-stream',
})

export function createObjects(account: FakeAccount): {
  service: FakeService
  addBucket(name: string): void
  read(bucket: string, key: string): Uint8Array
} {
  const objects = new Objects(account)
  const actions: FakeService['actions'] = {
    PutObject: async (input: PutObject) => objects.put(input),
    GetObject: async (input: sdk.GetObjectRequest) => objects.get(input),
    HeadObject: async (input: sdk.HeadObjectRequest) => objects.head(input),
    DeleteObject: async (input: sdk.DeleteObjectRequest) => objects.delete(input),
    ListObjectsV2: async (input: sdk.ListObjectsV2Request) => objects.list(input),
  }
  return {
    service: { scope: 's3', sdk, actions },
    addBucket: (name) => void objects.buckets.set(name, objects.buckets.get(name) ?? new Map()),
    read: (bucket, key) => objects.find(bucket, key, 'NoSuchKey').bytes,
  }
}
