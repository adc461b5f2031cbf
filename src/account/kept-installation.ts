import type { AwsClients } from '../aws/clients.ts'
import { isAwsError } from '../aws/errors.ts'
import type { AwsPlaces } from '../domain/aws-places.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'

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

const Key = 'installation'

type Bucket = { clients: Pick<AwsClients, 'objects'>; bucket: string }

/** @throws not-found where no install has written it, unsupported for one of a version that is not known */
export async function readKeptInstallation(
  { clients, bucket: Bucket }: Bucket,
  { signal }: Pick<Control, 'signal'>,
): Promise<KeptInstallation> {
  const text = await readText(clients, { Bucket }, signal)
  if (text === null) {
    throw new RackError('not-found', `the bucket ${Bucket} does not say what its rack is`, {
      hint: 'Bring the rack up to date: rack install aws',
    })
  }
  const written = JSON.parse(text) as { version: unknown }
  if (written.version !== 1) {
    throw new RackError('unsupported', `this version of Rack does not know what the bucket ${Bucket} says`, {
      hint: 'Bring the rack up to date, with the version that it was installed with or a later one: rack update',
    })
  }
  return written as KeptInstallation
}

/** Safe to repeat. */
export async function writeKeptInstallation(
  { clients, bucket: Bucket }: Bucket,
  installation: KeptInstallation,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const Body = JSON.stringify(installation)
  await clients.objects.putObject({ Bucket, Key, Body }, { abortSignal: signal })
}

async function readText(
  { objects }: Pick<AwsClients, 'objects'>,
  { Bucket }: { Bucket: string },
  abortSignal: AbortSignal,
): Promise<string | null> {
  try {
    const { Body } = await objects.getObject({ Bucket, Key }, { abortSignal })
    return await Body!.transformToString()
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey', 'NotFound')) return null
    throw error
  }
}
