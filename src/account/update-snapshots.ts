import type { DBSnapshot, RDS } from '@aws-sdk/client-rds'
import { isAwsError } from '../aws/errors.ts'
import { untilOver } from '../aws/until-over.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { InstallationAccount } from './installation-account.ts'
import { isStuck } from './store-health.ts'
import { listSnapshots } from './store-snapshots.ts'
import { tagsOf } from './templates/template.ts'

/** What a snapshot is taken before. */
export interface ComingDaemon {
  rack: string
  /** The name of its database. */
  store: string
  version: string
  /** Reference of the image that the daemon will have, with its digest. */
  image: string
}

/** Bears the digest of the daemon that a snapshot was taken before: each try of an update has one. */
const beforeTag = 'rack:before'

/** RDS says minutes for a small store; it takes no other change meanwhile. */
const deadlineMs = 1_800_000

type Account = Pick<InstallationAccount, 'intervalMs'> & {
  clients: Pick<InstallationAccount['clients'], 'databases'>
}

/**
 * Takes a snapshot of a rack's store, and waits until it is there: what a new daemon changes in the tables is taken back by
 * nobody. Gives its name.
 * @throws conflict for a store of which none can be taken, such as one that is stopped; engine-failed, timeout
 */
export async function takeSnapshot(
  { clients, intervalMs = 3000 }: Account,
  { rack, store, version, image }: ComingDaemon,
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const id = snapshotName({ rack, version }, new Date())
  const order = {
    DBInstanceIdentifier: store,
    DBSnapshotIdentifier: id,
    // D: with tags of its own it gets none of the database's.
    Tags: [...tagsOf(rack), { Key: beforeTag, Value: digestOf(image) }],
  }
  const begin = async () => await hasBegun(clients.databases, order, signal)
  const waiting = { deadlineMs, intervalMs, signal }
  await untilOver(begin, { ...waiting, what: `the store ${store} to take a snapshot` })
  const isThere = async () => {
    const all = await listSnapshots({ clients }, store, { signal })
    const own = all.find(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier === id)
    if (own?.Status !== 'failed') return own?.Status === 'available'
    throw new RackError('engine-failed', `RDS could not take the snapshot ${id} of the store`, {
      hint: `See why: aws rds describe-events --source-type db-snapshot --source-identifier ${id}`,
    })
  }
  await untilOver(isThere, { ...waiting, what: `the snapshot ${id} of the store` })
  return id
}

/** D: letters, digits and single hyphens. Pure. */
export function snapshotName({ rack, version }: Pick<ComingDaemon, 'rack' | 'version'>, at: Date): string {
  const time = at.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replaceAll(/[-:]/g, '')
  return `rack-${rack}-before-${version}-${time}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

type Order = Parameters<RDS['createDBSnapshot']>[0] & { DBInstanceIdentifier: string }

/** False while the store is at something else, such as its backup of the day. */
async function hasBegun(databases: RDS, order: Order, abortSignal: AbortSignal): Promise<boolean> {
  const { DBInstanceIdentifier } = order
  try {
    await databases.createDBSnapshot(order, { abortSignal })
    return true
  } catch (error) {
    // Begun by a call whose answer was lost.
    if (isAwsError(error, 'DBSnapshotAlreadyExistsFault', 'DBSnapshotAlreadyExists')) return true
    if (isAwsError(error, ...notFound)) throw notTaken(DBInstanceIdentifier, 'gone', error)
    if (!isAwsError(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState')) throw error
    const { DBInstances } = await databases.describeDBInstances({ DBInstanceIdentifier }, { abortSignal })
    const status = DBInstances?.[0]?.DBInstanceStatus ?? 'unknown'
    if (isStuck(status)) throw notTaken(DBInstanceIdentifier, status, error)
    return false
  }
}

const notFound = ['DBInstanceNotFoundFault', 'DBInstanceNotFound']

function notTaken(store: string, status: string, cause: unknown): RackError {
  const hint =
    status === 'stopped'
      ? `Start it, then type the same again: aws rds start-db-instance --db-instance-identifier ${store}`
      : 'See what to do about it, then type the same again: rack doctor'
  return new RackError('conflict', `the store ${store} is ${status}: no snapshot of it can be taken`, {
    hint,
    cause,
  })
}

/** Removes the snapshots that no update has need of any more: once the new daemon is up. Safe to repeat. */
export async function removeOldSnapshots(
  { clients }: Account,
  store: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  for (const { DBSnapshotIdentifier } of surplusSnapshots(
    await listSnapshots({ clients }, store, { signal }),
  )) {
    try {
      await clients.databases.deleteDBSnapshot({ DBSnapshotIdentifier }, { abortSignal: signal })
    } catch (error) {
      // D: one that is not available is not deleted; the next update tries it again.
      if (!isAwsError(error, ...notDeleted)) throw error
    }
  }
}

const notDeleted = ['DBSnapshotNotFound', 'InvalidDBSnapshotState'].flatMap((name) => [name, `${name}Fault`])

/**
 * All but those of the last two updates; of each of them the first and the last of its tries stay: what a try that failed
 * has changed, the next one's has too. Those that RDS could not take are no tries. Others' snapshots are none of it. Pure.
 */
export function surplusSnapshots(snapshots: readonly DBSnapshot[]): DBSnapshot[] {
  const own = snapshots
    .filter((each) => beforeOf(each) !== undefined)
    .toSorted((a, b) => timeOf(b) - timeOf(a))
  const taken = own.filter(({ Status }) => Status !== 'failed')
  const updates = [...Map.groupBy(taken, beforeOf).values()]
  const kept = new Set(updates.slice(0, 2).flatMap((tries) => [tries[0], tries.at(-1)]))
  return own.filter((each) => !kept.has(each))
}

const beforeOf = ({ TagList = [] }: DBSnapshot) => TagList.find(({ Key }) => Key === beforeTag)?.Value
/** One that is being taken has none yet. */
const timeOf = ({ SnapshotCreateTime }: DBSnapshot) => SnapshotCreateTime?.getTime() ?? Infinity

const digestOf = (image: string) => image.slice(image.indexOf('@') + 1)
