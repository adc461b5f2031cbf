import { isAwsError } from '../aws/errors.ts'
import type { AwsClients } from '../aws/clients.ts'
import type { Control } from '../domain/control.ts'

/** Says in a rack's bucket where its daemon is: stacks alone may be those of an installation that goes on. */
export type InstalledMark =
  /** Name of the machine, and the directory on it. */
  | { host: string; directory: string; inside?: undefined }
  /** In the account itself. */
  | { inside: true }

/** Where that is, for a person. Pure. */
export function describeMark(mark: InstalledMark): string {
  return mark.inside ? 'in the account' : `on ${mark.host}`
}

const Key = 'installed'

type Bucket = { clients: Pick<AwsClients, 'objects'>; bucket: string }

/** Null where the rack of the bucket was never installed to its end. */
export async function readInstalledMark(
  { clients, bucket: Bucket }: Bucket,
  { signal }: Pick<Control, 'signal'>,
): Promise<InstalledMark | null> {
  try {
    const { Body } = await clients.objects.getObject({ Bucket, Key }, { abortSignal: signal })
    return JSON.parse(await Body!.transformToString()) as InstalledMark
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey', 'NotFound', 'NoSuchBucket')) return null
    throw error
  }
}

/** Safe to repeat. */
export async function writeInstalledMark(
  { clients, bucket: Bucket }: Bucket,
  mark: InstalledMark,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  await clients.objects.putObject({ Bucket, Key, Body: JSON.stringify(mark) }, { abortSignal: signal })
}

/** Safe to repeat, also when the bucket is gone; one that is kept says no more whose it was. */
export async function removeInstalledMark(
  { clients, bucket: Bucket }: Bucket,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await clients.objects.deleteObject({ Bucket, Key }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'NoSuchBucket')) throw error
  }
}
