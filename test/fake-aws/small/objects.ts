import * as sdk from '@aws-sdk/client-s3'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'
import { createUploads, etagOf, ofChecksums, type StoredObject } from './uploads.ts'

/** A request as the server reads it: the body is there as a whole. */
type PutObject = Omit<sdk.PutObjectRequest, 'Body'> & { Body?: Uint8Array }

/** Fewer than AWS gives, so that pages are met. */
const mostOnPage = 50

export interface Buckets {
  add(name: string): void
  has(name: string): boolean
  /** @throws where something lies in it */
  remove(name: string): void
}

class Objects implements Buckets {
  readonly #account: FakeAccount
  readonly buckets = new Map<string, Map<string, StoredObject>>()

  constructor(account: FakeAccount) {
    this.#account = account
  }

  bucket(name: string | undefined): Map<string, StoredObject> {
    const bucket = this.buckets.get(name ?? '')
    if (!bucket) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404)
    return bucket
  }

  add(name: string): void {
    this.buckets.set(name, this.buckets.get(name) ?? new Map())
  }

  has(name: string): boolean {
    return this.buckets.has(name)
  }

  remove(name: string): void {
    if (this.bucket(name).size > 0)
      throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409)
    this.buckets.delete(name)
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
    const bucket = this.bucket(input.Bucket)
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
    const etag = etagOf(bytes)
    this.keep(bucket, { key, bytes, etag, type: input.ContentType, metadata: input.Metadata ?? {} })
    return { ETag: etag }
  }

  keep(bucket: Map<string, StoredObject>, object: Omit<StoredObject, 'modifiedAt'>): void {
    const modifiedAt = new Date(Math.floor(this.#account.clock.now() / 1000) * 1000)
    bucket.set(object.key, { ...object, modifiedAt })
  }

  find(bucket: string | undefined, key: string | undefined, missing: string): StoredObject {
    const found = this.bucket(bucket).get(key ?? '')
    if (!found) throw new AwsError(missing, 'The specified key does not exist.', 404)
    return found
  }

  head({ Bucket, Key }: sdk.HeadObjectRequest): sdk.HeadObjectOutput {
    return about(this.find(Bucket, Key, 'NotFound'))
  }

  get(input: sdk.GetObjectRequest): object {
    assertModelled(input, ['Bucket', 'Key', 'Range', ...ofChecksums], 'GetObject')
    const found = this.find(input.Bucket, input.Key, 'NoSuchKey')
    const start = startOf(input.Range, found.bytes.length)
    const bytes = found.bytes.subarray(start)
    return { ...about(found), ContentLength: bytes.length, Body: bytes }
  }

  /** What is not there is deleted too (D: DeleteObject). */
  delete(input: sdk.DeleteObjectRequest): object {
    assertModelled(input, ['Bucket', 'Key'], 'DeleteObject')
    this.bucket(input.Bucket).delete(input.Key!)
    return {}
  }

  /** Listings of S3 are strongly consistent (D). */
  list(input: sdk.ListObjectsV2Request): sdk.ListObjectsV2Output {
    assertModelled(input, ['Bucket', 'Prefix', 'ContinuationToken', 'MaxKeys', 'StartAfter'], 'ListObjectsV2')
    const { Prefix = '', StartAfter = '', MaxKeys = 1000 } = input
    const found = [...this.bucket(input.Bucket).values()].filter(
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

/** D: of ranges only those of one beginning, to the end of the object; one behind it is refused. */
function startOf(range: string | undefined, length: number): number {
  if (range === undefined) return 0
  const [, text] = /^bytes=(\d+)-$/.exec(range) ?? []
  if (text === undefined) throw new NotModelled('a Range but bytes=N-')
  if (Number(text) >= length)
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416)
  return Number(text)
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
  buckets: Buckets
  read(bucket: string, key: string): Uint8Array
  /** Keys of uploads that are neither whole nor given up. */
  openUploads(): string[]
} {
  const objects = new Objects(account)
  const uploads = createUploads(objects)
  const actions: FakeService['actions'] = {
    PutObject: async (input: PutObject) => objects.put(input),
    GetObject: async (input: sdk.GetObjectRequest) => objects.get(input),
    HeadObject: async (input: sdk.HeadObjectRequest) => objects.head(input),
    DeleteBucket: async (input: sdk.DeleteBucketRequest) => {
      assertModelled(input, ['Bucket'], 'DeleteBucket')
      objects.remove(input.Bucket!)
      return {}
    },
    DeleteObject: async (input: sdk.DeleteObjectRequest) => objects.delete(input),
    ListObjectsV2: async (input: sdk.ListObjectsV2Request) => objects.list(input),
    ...uploads.actions,
  }
  return {
    service: { scope: 's3', sdk, actions },
    buckets: objects,
    read: (bucket, key) => objects.find(bucket, key, 'NoSuchKey').bytes,
    openUploads: uploads.open,
  }
}
