import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { S3 } from '@aws-sdk/client-s3'
import { isAwsError, translateError } from '../aws/errors.ts'
import { RackError } from '../domain/error.ts'
import type { Objects } from '../domain/objects.ts'
import { noSuchKey } from './faults.ts'
import { checkKey, checkPrefix } from './keys.ts'
import { uploadFile } from './upload-file.ts'
import { translated, writeWhole, type Incoming } from './write-whole.ts'

export interface BucketOptions {
  client: S3
  bucket: string
  /** Before every key: what else is in the bucket is somebody else's. Ends in a slash. */
  prefix: string
  /** Where a blob lies until it is whole: how long it is must be known before it is sent. */
  spool: string
  /** The largest blob that `put` takes; without it the disk of the spool is the limit. */
  maxBytes?: number
}

/** What a call may take that carries no content. */
const answerDeadlineMs = 60_000

/**
 * Opens blobs that are objects of a bucket; what a killed writer left in the spool, which is made when absent, is removed,
 * and nothing is called. One program at a time may have it open. The age of a blob is known to the second.
 * @throws disk-full, store-failed
 */
export async function openBucket(options: BucketOptions): Promise<Objects> {
  const { spool, prefix } = options
  await translated(async () => {
    await rm(spool, { recursive: true, force: true })
    await mkdir(spool, { recursive: true, mode: 0o700 })
  })
  const nameOf = (key: string) => prefix + checkKey(key)
  return {
    put: async (key, content, control) => await put(options, nameOf(key), { content, control }),
    get: (key, range) => readObject(options, { name: nameOf(key), key, start: range?.start ?? 0 }),
    size: async (key) => await sizeOf(options, nameOf(key)),
    async remove(key) {
      const { client, bucket } = options
      await client.deleteObject({ Bucket: bucket, Key: nameOf(key) }, inTime())
    },
    list: (wanted) => listObjects(options, checkPrefix(wanted)),
  }
}

const inTime = () => ({ abortSignal: AbortSignal.timeout(answerDeadlineMs) })

async function put(
  options: BucketOptions,
  name: string,
  incoming: Incoming,
): Promise<{ bytes: number; sha256: string }> {
  const { client, bucket, spool, maxBytes = Infinity } = options
  const path = join(spool, randomBytes(12).toString('hex'))
  try {
    const written = await writeWhole(path, incoming, maxBytes)
    await refuseFolder(options, name)
    await uploadFile({ client, bucket, name, path, bytes: written.bytes }, incoming.control)
    return written
  } finally {
    await rm(path, { force: true })
  }
}

/** A bucket would keep both; a directory cannot, and what is put must fit either. @throws conflict */
async function refuseFolder(options: BucketOptions, name: string): Promise<void> {
  const { client, bucket, prefix } = options
  const words = name.slice(prefix.length).split('/')
  const above = words.slice(1).map((_word, at) => prefix + words.slice(0, at + 1).join('/'))
  const below = client.listObjectsV2({ Bucket: bucket, Prefix: `${name}/`, MaxKeys: 1 }, inTime())
  const sizes = await Promise.all(above.map((each) => sizeOf(options, each)))
  const isFolder = ((await below).Contents ?? []).length > 0
  if (isFolder || sizes.some((size) => size !== null))
    throw new RackError('conflict', 'an object of that name, or below it, is there already')
}

async function sizeOf({ client, bucket }: BucketOptions, name: string): Promise<number | null> {
  try {
    const { ContentLength } = await client.headObject({ Bucket: bucket, Key: name }, inTime())
    return ContentLength ?? 0
  } catch (error) {
    if (isAwsError(error, 'NotFound', 'NoSuchKey')) return null
    throw error
  }
}

async function* readObject(
  { client, bucket }: BucketOptions,
  { name, key, start }: { name: string; key: string; start: number },
): AsyncGenerator<Uint8Array> {
  const begin = new AbortController()
  const timer = setTimeout(
    () => begin.abort(new RackError('engine-unavailable', 'the account does not give an object')),
    answerDeadlineMs,
  )
  let body: AsyncIterable<Uint8Array>
  try {
    const range = start > 0 ? { Range: `bytes=${start}-` } : {}
    const found = await client.getObject(
      { Bucket: bucket, Key: name, ...range },
      { abortSignal: begin.signal },
    )
    body = found.Body as unknown as AsyncIterable<Uint8Array>
  } catch (error) {
    // Its end, or a place behind it.
    if (isAwsError(error, 'InvalidRange')) return
    throw isAwsError(error, 'NoSuchKey', 'NotFound') ? noSuchKey(key) : error
  } finally {
    clearTimeout(timer)
  }
  try {
    yield* body
  } catch (error) {
    throw translateError(error, 'GetObject')
  }
}

async function* listObjects(
  { client, bucket, prefix }: BucketOptions,
  wanted: string,
): AsyncGenerator<{ key: string; bytes: number; modified: string }> {
  const found: { key: string; bytes: number; modified: string }[] = []
  let token: string | undefined
  do {
    const page = await client.listObjectsV2(
      { Bucket: bucket, Prefix: prefix + wanted, ...(token !== undefined && { ContinuationToken: token }) },
      inTime(),
    )
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? [])
      found.push({ key: Key.slice(prefix.length), bytes: Size, modified: LastModified.toISOString() })
    token = page.NextContinuationToken
  } while (token !== undefined)
  found.sort((a, b) => Date.parse(a.modified) - Date.parse(b.modified) || (a.key < b.key ? -1 : 1))
  yield* found
}
