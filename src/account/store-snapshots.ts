import type { KeptResource } from '../aws/stack-events.ts'
import type { Control } from '../domain/control.ts'
import type { InstallationAccount } from './installation-account.ts'

/** What a snapshot of a store is called, as CloudFormation would. */
export const snapshotType = 'AWS::RDS::DBSnapshot'

/**
 * What the store of one installation has left, by the name of its database: a rack's own name would find those of earlier
 * installations too. RDS itself finds by it only while the database is there (D: DescribeDBSnapshots).
 */
export async function storeSnapshots(
  { clients: { databases } }: { clients: Pick<InstallationAccount['clients'], 'databases'> },
  instance: string,
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<KeptResource[]> {
  const found: KeptResource[] = []
  let marker: string | undefined
  do {
    const page = await databases.describeDBSnapshots(
      { SnapshotType: 'manual', ...(marker && { Marker: marker }) },
      { abortSignal },
    )
    for (const { DBSnapshotIdentifier: id = '', DBInstanceIdentifier } of page.DBSnapshots ?? [])
      if (DBInstanceIdentifier === instance) found.push({ type: snapshotType, id })
    marker = page.Marker
  } while (marker)
  return found
}
