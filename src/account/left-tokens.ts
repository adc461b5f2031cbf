import type { Control } from '../domain/control.ts'
import { writeText, type RackBucket } from './rack-bucket.ts'

/** The hash of a token that somebody with the account's credentials has made, for the rack's daemon to take in. */
export interface LeftToken {
  /** As `rack tokens` names it. */
  name: string
  /** Of the token's text, 64 hex digits. */
  sha256: string
}

/** Whoever may write below it is an administrator of the rack. */
const prefix = 'tokens/'

/** Leaves a hash in the rack's bucket; a daemon that runs takes it in within seconds. Safe to repeat. */
export async function leaveToken(
  where: RackBucket,
  { name, sha256 }: LeftToken,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  await writeText(where, { key: prefix + name, text: `${sha256}\n` }, control)
}

/** Many times what a hash is. */
const mostBytes = 200

/** Names of those that wait, at most a thousand; of what is too long for a hash too. */
export async function listLeftTokens(
  { clients, bucket: Bucket }: RackBucket,
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const { Contents = [] } = await clients.objects.listObjectsV2({ Bucket, Prefix: prefix }, { abortSignal })
  return Contents.map(({ Key = '' }) => Key.slice(prefix.length))
}

/** Null where it is no hash; of what is longer than one nothing is read. @throws what the bucket says of that object */
export async function readLeftToken(
  { clients, bucket: Bucket }: RackBucket,
  name: string,
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<LeftToken | null> {
  const ended = new AbortController()
  const { Body, ContentLength = 0 } = await clients.objects.getObject(
    { Bucket, Key: prefix + name },
    { abortSignal: AbortSignal.any([abortSignal, ended.signal]) },
  )
  if (ContentLength > mostBytes) {
    ended.abort()
    return null
  }
  const sha256 = (await Body!.transformToString()).trim()
  return /^[0-9a-f]{64}$/.test(sha256) ? { name, sha256 } : null
}

/** Takes one away that is kept now; safe to repeat. */
export async function removeLeftToken(
  { clients, bucket: Bucket }: RackBucket,
  { name }: Pick<LeftToken, 'name'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  await clients.objects.deleteObject({ Bucket, Key: prefix + name }, { abortSignal: signal })
}
