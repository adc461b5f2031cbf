import type { AwsClients } from '../aws/clients.ts'
import { isAwsError } from '../aws/errors.ts'
import type { Control } from '../domain/control.ts'

/** A rack's bucket, and who asks for it. */
export interface RackBucket {
  clients: Pick<AwsClients, 'objects'>
  bucket: string
}

/** The text of an object; null where there is none of that key. */
export async function readText(
  { clients, bucket: Bucket }: RackBucket,
  Key: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string | null> {
  try {
    const { Body } = await clients.objects.getObject({ Bucket, Key }, { abortSignal: signal })
    return await Body!.transformToString()
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey', 'NotFound')) return null
    throw error
  }
}

/** Safe to repeat. */
export async function writeText(
  { clients, bucket: Bucket }: RackBucket,
  { key: Key, text: Body }: { key: string; text: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  await clients.objects.putObject({ Bucket, Key, Body }, { abortSignal: signal })
}

/** Of several at once one writes it; false for the others, and for whoever comes later. */
export async function writeFirst(
  { clients, bucket: Bucket }: RackBucket,
  { key: Key, text: Body }: { key: string; text: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  try {
    await clients.objects.putObject({ Bucket, Key, Body, IfNoneMatch: '*' }, { abortSignal: signal })
    return true
  } catch (error) {
    // D: "How to prevent object overwrites with conditional writes": the second where another is at it just now.
    if (isAwsError(error, 'PreconditionFailed', 'ConditionalRequestConflict')) return false
    throw error
  }
}
