import type { RDS } from '@aws-sdk/client-rds'
import { isAwsError } from '../aws/errors.ts'
import { findResource } from '../aws/stack-resource.ts'
import type { Control } from '../domain/control.ts'
import type { AwsClients } from '../aws/clients.ts'
import { baseStackName } from './installation-stacks.ts'
import { storeResource } from './templates/store.ts'

/** What RDS says of the store of a rack. */
export interface StoreHealth {
  /** The name of its database. */
  name: string
  arn: string
  /** In RDS's word, such as `available`; null where the database is gone. */
  status: string | null
  /** Whether it can be deleted by nobody by mistake. */
  isProtected: boolean
  /** For how many days RDS keeps what was. */
  backupDays: number
  /** Of its disk, and to what that grows by itself. */
  gigabytes: number
  mostGigabytes: number | null
  maintenance: PendingMaintenance[]
}

/** What RDS is going to do to it. */
export interface PendingMaintenance {
  /** In RDS's word, such as `system-update`. */
  action: string
  description: string
  /** When, where that is decided. */
  at: Date | null
}

/** Whether a database does not come by itself from how it is (D: "Viewing Amazon RDS DB instance status"). Pure. */
export function isStuck(status: string): boolean {
  return /^(stop|storage-full$|failed$|inaccessible-|incompatible-|insufficient-|restore-error$|delet)/.test(
    status,
  )
}

type Clients = Pick<AwsClients, 'stacks' | 'databases'>

/** Null for a rack that has none in its account. */
export async function readStoreHealth(
  { stacks, databases }: Clients,
  rack: string,
  control: Pick<Control, 'signal'>,
): Promise<StoreHealth | null> {
  const named = { stack: baseStackName(rack), resource: storeResource }
  const found = await findResource(stacks, named, control)
  return found && (await readHealth(databases, found.id, control))
}

async function readHealth(
  databases: RDS,
  name: string,
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<StoreHealth> {
  try {
    const asked = { DBInstanceIdentifier: name }
    const { DBInstances = [] } = await databases.describeDBInstances(asked, { abortSignal })
    const [found = {}] = DBInstances
    const { DBInstanceArn: arn = '', DBInstanceStatus: status = 'unknown' } = found
    return {
      name,
      arn,
      status,
      isProtected: found.DeletionProtection ?? false,
      backupDays: found.BackupRetentionPeriod ?? 0,
      gigabytes: found.AllocatedStorage ?? 0,
      mostGigabytes: found.MaxAllocatedStorage ?? null,
      maintenance: await pendingOf(databases, arn, abortSignal),
    }
  } catch (error) {
    if (!isAwsError(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) throw error
    const nothing = { isProtected: false, backupDays: 0, gigabytes: 0, mostGigabytes: null, maintenance: [] }
    return { name, arn: '', status: null, ...nothing }
  }
}

async function pendingOf(
  databases: RDS,
  ResourceIdentifier: string,
  abortSignal: AbortSignal,
): Promise<PendingMaintenance[]> {
  const { PendingMaintenanceActions = [] } = await databases.describePendingMaintenanceActions(
    { ResourceIdentifier },
    { abortSignal },
  )
  return PendingMaintenanceActions.flatMap(({ PendingMaintenanceActionDetails = [] }) =>
    PendingMaintenanceActionDetails.map(({ Action = '', Description = '', CurrentApplyDate }) => ({
      action: Action,
      description: Description,
      at: CurrentApplyDate ?? null,
    })),
  )
}
