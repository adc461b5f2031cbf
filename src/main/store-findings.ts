import { isStuck, type StoreHealth } from '../account/store-health.ts'
import type { Finding } from '../host/finding.ts'

/** As `rack install aws` has it made. @see src/account/templates/store.ts */
const usualBackupDays = 7
/** Of what its disk may grow to. */
const nearlyFull = 0.9

/** In which it answers (D: "Viewing Amazon RDS DB instance status"). */
const goodStates = new Set([
  'available',
  'backing-up',
  'configuring-enhanced-monitoring',
  'configuring-log-exports',
  'storage-config-upgrade',
  'storage-initialization',
  'storage-optimization',
])

/** What is to be said of the store of a rack: that all is well, or each thing that is not. Pure. */
export function storeFindings(health: StoreHealth): Finding[] {
  const { name, status, backupDays, gigabytes } = health
  const found = status === null ? [goneFinding(name)] : [...stateFindings(health), ...settingFindings(health)]
  if (found.length > 0) return found
  return [finding('good', `the store ${name}: ${status}, ${gigabytes} GB, backups of ${backupDays} days`)]
}

function finding(status: Finding['status'], detail: string, fix?: string): Finding {
  return { check: 'store', status, detail, ...(fix !== undefined && { fix }) }
}

/** D: by the name of a database `describe-db-snapshots` finds nothing once that is gone. */
function goneFinding(name: string): Finding {
  const list = `aws rds describe-db-snapshots --snapshot-type manual --query "DBSnapshots[?DBInstanceIdentifier=='${name}'].DBSnapshotIdentifier"`
  const fix = `${list}; restore one under that name, as docs/aws.md says it in "Back to the version before"`
  return finding('bad', `the store ${name} is gone: somebody has deleted it`, fix)
}

function stateFindings({ name, status, gigabytes, mostGigabytes }: StoreHealth): Finding[] {
  const state = status ?? ''
  if (goodStates.has(state)) return []
  const detail = `the store ${name} is ${state}`
  if (state === 'stopped')
    return [finding('bad', detail, `aws rds start-db-instance --db-instance-identifier ${name}`)]
  if (state === 'storage-full') {
    const size = gigabytes * 2
    // D: it has to be allowed to grow to a tenth more than it has.
    const isWithin = mostGigabytes === null || size * 1.1 <= mostGigabytes
    const most = isWithin ? '' : ` --max-allocated-storage ${size * 2}`
    return [finding('bad', detail, modify(name, `--allocated-storage ${size}${most}`))]
  }
  const events = `aws rds describe-events --source-type db-instance --source-identifier ${name}`
  return [finding(isStuck(state) ? 'bad' : 'warning', detail, events)]
}

function settingFindings(health: StoreHealth): Finding[] {
  const { name, arn, isProtected, backupDays, gigabytes, mostGigabytes, maintenance } = health
  const found: Finding[] = []
  if (!isProtected)
    found.push(
      finding('warning', `anybody may delete the store ${name}`, modify(name, '--deletion-protection')),
    )
  if (backupDays < usualBackupDays) {
    const fix = modify(name, `--backup-retention-period ${usualBackupDays}`)
    found.push(finding('warning', `backups of the store ${name} are kept for ${backupDays} days`, fix))
  }
  if (mostGigabytes !== null && gigabytes >= mostGigabytes * nearlyFull) {
    const fix = modify(name, `--max-allocated-storage ${mostGigabytes * 2}`)
    found.push(
      finding('warning', `the disk of the store has grown to ${gigabytes} of ${mostGigabytes} GB`, fix),
    )
  }
  for (const { action, description, at } of maintenance) {
    const when = at === null ? '' : `, on ${at.toISOString().slice(0, 10)} by itself`
    const fix = `To have it now, in some minutes in which the API may not answer: aws rds apply-pending-maintenance-action --resource-identifier ${arn} --apply-action ${action} --opt-in-type immediate`
    found.push(finding('warning', `RDS has a ${action} for the store${when}: ${description}`, fix))
  }
  return found
}

const modify = (name: string, change: string) =>
  `aws rds modify-db-instance --db-instance-identifier ${name} ${change} --apply-immediately`
