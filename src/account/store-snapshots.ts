import type { DBSnapshot } from '@aws-sdk/client-rds'
import type { KeptResource } from '../aws/stack-events.ts'
import type { Control } from '../domain/control.ts'
import type { InstallationAccount } from './installation-account.ts'

/** What a snapshot of a store is called, as CloudFormation would. */
export const snapshotType = 'AWS::RDS::DBSnapshot'

type Account = { clients: Pick<InstallationAccount['clients'], 'databases'> }

/**
 * What there is of the store of one installation, by the name of its database: a rack's own name would find those of
 * earlier installations too. RDS itself finds by it only while the database is there (D: DescribeDBSnapshots).
 */
export async function listSnapshots(
  { clients: { databases } }: Account,
  instance: string,
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<DBSnapshot[]> {
  const found: DBSnapshot[] = []
  let marker: string | undefined
  do {
    const page = await databases.describeDBSnapshots(
      { SnapshotType: 'manual', ...(marker && { Marker: marker }) },
      { abortSignal },
    )
    found.push(...(page.DBSnapshots ?? []).filter((each) => each.DBInstanceIdentifier === instance))
    marker = page.Marker
  } while (marker)
  return found
}

/** What the store of one installation has left. */
export async function storeSnapshots(
  account: Account,
  instance: string,
  control: Pick<Control, 'signal'>,
): Promise<KeptResource[]> {
  const found = await listSnapshots(account, instance, control)
  return found.map(({ DBSnapshotIdentifier: id = '' }) => ({ type: snapshotType, id }))
}
