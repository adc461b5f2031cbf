import { open } from 'node:fs/promises'
import type { CompletedPart, S3 } from '@aws-sdk/client-s3'
import type { Control } from '../domain/control.ts'

/** What is sent at once, and held in memory for as long: a part that is lost is sent again. S3 takes no shorter ones than 5 MiB. */
const partBytes = 8 * 2 ** 20
/** Of S3 (D: multipart upload limits). */
const mostParts = 10_000
const abortDeadlineMs = 30_000

export interface Upload {
  client: S3
  bucket: string
  name: string
  /** The file, whole. */
  path: string
  bytes: number
}

/** Makes an object of a file; settles when it is durable, and until then whoever reads gets what was there before. */
export async function uploadFile(upload: Upload, { signal }: Pick<Control, 'signal'>): Promise<void> {
  const { client, bucket: Bucket, name: Key, path, bytes } = upload
  await using file = await open(path, 'r')
  if (bytes <= partBytes) {
    const content = Buffer.alloc(bytes)
    await file.read(content, 0, bytes, 0)
    await client.putObject({ Bucket, Key, Body: content }, { abortSignal: signal })
    return
  }
  const { UploadId } = await client.createMultipartUpload({ Bucket, Key }, { abortSignal: signal })
  try {
    const each = Math.max(partBytes, Math.ceil(bytes / mostParts))
    const parts: CompletedPart[] = []
    for (let at = 0; at < bytes; at += each) {
      const content = Buffer.alloc(Math.min(each, bytes - at))
      await file.read(content, 0, content.length, at)
      const part = { PartNumber: parts.length + 1, Body: content }
      const { ETag } = await client.uploadPart({ Bucket, Key, UploadId, ...part }, { abortSignal: signal })
      parts.push({ PartNumber: part.PartNumber, ETag })
    }
    await client.completeMultipartUpload(
      { Bucket, Key, UploadId, MultipartUpload: { Parts: parts } },
      { abortSignal: signal },
    )
  } catch (error) {
    const abortSignal = AbortSignal.timeout(abortDeadlineMs)
    // What failed is told; parts that stay are paid for, until the bucket's own rule takes them.
    await client.abortMultipartUpload({ Bucket, Key, UploadId }, { abortSignal }).catch(() => undefined)
    throw error
  }
}
