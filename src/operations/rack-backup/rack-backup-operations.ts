import type { Control } from '../../domain/control.ts'
import type { RackBackupContents, RackBackupScope, RackBackupSeal } from '../../domain/rack-backup.ts'

/** What leaves the machine of a whole rack. */
export interface RackBackupOperations {
  /** What a backup would hold, and what not. @throws unsupported for a store in a database of its own; conflict */
  planRackBackup(scope: RackBackupScope, control: Control): Promise<RackBackupContents>
  /**
   * All of the rack, sealed; nobody keeps it.
   * @throws unsupported for a store in a database of its own; conflict while one is put back; image-unavailable; and as
   * `dumpService` does
   */
  backupRack(
    request: RackBackupScope & RackBackupSeal,
    out: (chunk: Uint8Array) => Promise<void>,
    control: Control,
  ): Promise<void>
}
