import { randomUUID } from 'node:crypto'
import { isAwsError } from '../aws/errors.ts'
import type { Control } from '../domain/control.ts'
import { readText, writeFirst, type RackBucket } from './rack-bucket.ts'

/** Says in a rack's bucket where its daemon is: stacks alone may be those of an installation that goes on. */
export type InstalledMark =
  /** Name of the machine, and the directory on it. */
  (
    | { host: string; directory: string; inside?: undefined }
    /** In the account itself. */
    | { inside: true }
  ) & {
    /** Tells apart who wrote it. */
    by?: string
  }

/** Where that is, for a person. Pure. */
export function describeMark(mark: InstalledMark): string {
  return mark.inside ? 'in the account' : `on ${mark.host}`
}

const key = 'installed'

/** Null where the rack of the bucket was never installed to its end. */
export async function readInstalledMark(
  where: RackBucket,
  control: Pick<Control, 'signal'>,
): Promise<InstalledMark | null> {
  try {
    return JSON.parse((await readText(where, key, control)) ?? 'null') as InstalledMark | null
  } catch (error) {
    if (isAwsError(error, 'NoSuchBucket')) return null
    throw error
  }
}

/** Puts it there, unless another one is there already, which is given then. */
export async function claimInstalledMark(
  where: RackBucket,
  mark: InstalledMark,
  control: Pick<Control, 'signal'>,
): Promise<InstalledMark | null> {
  // What was written by a call whose answer was lost is known again.
  const by = randomUUID()
  for (;;) {
    if (await writeFirst(where, { key, text: JSON.stringify({ ...mark, by }) }, control)) return null
    const there = await readInstalledMark(where, control)
    if (there) return there.by === by ? null : there
  }
}

/** Safe to repeat, also when the bucket is gone; one that is kept says no more whose it was. */
export async function removeInstalledMark(
  { clients, bucket: Bucket }: RackBucket,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await clients.objects.deleteObject({ Bucket, Key: key }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'NoSuchBucket')) throw error
  }
}
