import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { S3 } from '@aws-sdk/client-s3'
import { isAwsError, translateError } from '../aws/errors.ts'
import { RackError } from '../domain/error.ts'
import type { Objects } from '../domain/objects.ts'
import { abortable, startDeadline } from '../lib/deadline.ts'
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
  /** How long the next piece of a blob may take to come, ms; a minute unless it is said. */
  patienceMs?: number
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
  const [{ Contents = [] }, ...sizes] = await Promise.all([
    client.listObjectsV2({ Bucket: bucket, Prefix: `${name}/`, MaxKeys: 1 }, inTime()),
    ...above.map((each) => sizeOf(options, each)),
  ])
  const isFolder = Contents.length > 0
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
  { client, bucket, patienceMs = answerDeadlineMs }: BucketOptions,
  { name, key, start }: { name: string; key: string; start: number },
): AsyncGenerator<Uint8Array> {
  const late = () => new RackError('engine-unavailable', `the account does not send the object "${key}"`)
  const inPatience = async <T>(wait: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    using deadline = startDeadline({ deadlineMs: patienceMs, what: key, reason: late })
    return await abortable(wait(deadline.signal), deadline.signal)
  }
  const range = start > 0 ? { Range: `bytes=${start}-` } : {}
  let body: Readable
  try {
    const found = await inPatience((abortSignal) =>
      client.getObject({ Bucket: bucket, Key: name, ...range }, { abortSignal }),
    )
    body = found.Body as Readable
  } catch (error) {
    // Its end, or a place behind it.
    if (isAwsError(error, 'InvalidRange')) return
    throw isAwsError(error, 'NoSuchKey', 'NotFound') ? noSuchKey(key) : error
  }
  try {
    const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
    for (;;) {
      const next = await inPatience(() => pieces.next())
      if (next.done) return
      yield next.value
    }
  } catch (error) {
    throw translateError(error, 'GetObject')
  } finally {
    body.destroy()
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
