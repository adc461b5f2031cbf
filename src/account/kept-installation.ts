import type { AwsPlaces } from '../domain/aws-places.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { readText, writeText, type RackBucket } from './rack-bucket.ts'

/** What a rack is whose daemon runs in its account, as an install wrote it into the rack's bucket. Holds no secret. */
export interface KeptInstallation {
  version: 1
  name: string
  /** Apps are reached as `<app>.<domain>`. */
  domain: string
  /** What the rack may give to processes. */
  total: { cpuUnits: number; memoryBytes: number }
  /** What the rack's stacks have made. */
  places: AwsPlaces
  created: string
  /** By which Host the API is asked for through the balancer. */
  apiHost: string
}

const key = 'installation'

/** @throws not-found where no install has written it, unsupported for one of a version that is not known */
export async function readKeptInstallation(
  where: RackBucket,
  control: Pick<Control, 'signal'>,
): Promise<KeptInstallation> {
  const text = await readText(where, key, control)
  if (text === null) {
    throw new RackError('not-found', `the bucket ${where.bucket} does not say what its rack is`, {
      hint: 'Its install has not come to its end. Go on with it: rack install aws, with the same options',
    })
  }
  const written = JSON.parse(text) as { version: unknown }
  if (written.version !== 1) {
    throw new RackError(
      'unsupported',
      `this version of Rack does not know what the bucket ${where.bucket} says`,
      {
        hint: 'Bring the rack up to date, with the version that it was installed with or a later one: rack update',
      },
    )
  }
  return written as KeptInstallation
}

/** Safe to repeat. */
export async function writeKeptInstallation(
  where: RackBucket,
  installation: KeptInstallation,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  await writeText(where, { key, text: JSON.stringify(installation) }, control)
}
