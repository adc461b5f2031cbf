import type { Backup, BackupReason, BackupSchedule } from '../../../domain/backup.ts'
import type { Control } from '../../../domain/control.ts'
import type { Duplex } from '../../../domain/engine.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import type { ServiceInfo } from '../service-info.ts'

/** What goes into a service and comes out, beside its links. All throw `not-found` for a service or a backup that is none. */
export interface BackupOperations {
  /** The newest first, of one service or of all, of those that are no more too. */
  listBackups(service: string | null): Promise<Backup[]>
  getBackup(backup: string): Promise<Backup>
  /** @throws conflict; unsupported for a type that has none; disk-full; service-failed */
  backupService(service: string, reason: BackupReason, control: Control): Promise<Backup>
  /** Keeps an archive from elsewhere. @throws invalid for one that is not whole */
  addBackup(content: AsyncIterable<Uint8Array>, control: Control): Promise<Backup>
  /** The archive of a backup. @throws invalid for one that is damaged, before the first byte */
  readBackup(backup: string, out: (chunk: Uint8Array) => Promise<void>): Promise<void>
  /** The archive of a service as it is, which is not kept. @throws as `backupService` */
  dumpService(service: string, out: (chunk: Uint8Array) => Promise<void>, control: Control): Promise<void>
  /** Makes a service of a backup, or puts it into the one that it was of. @throws exists; conflict; invalid; and as `createService` */
  restoreBackup(backup: string, request: RestoreRequest, control: Control): Promise<ServiceInfo>
  deleteBackup(backup: string): Promise<void>
  /** Null where there is none. */
  getBackupSchedule(service: string): Promise<BackupSchedule | null>
  /** @returns with what such a backup will be, for people; @throws invalid; unsupported for a type without backups */
  setBackupSchedule(
    service: string,
    schedule: Pick<BackupSchedule, 'every' | 'keep'>,
    control: Control,
  ): Promise<BackupSchedule & { says: string }>
  removeBackupSchedule(service: string): Promise<void>
  /** @throws unsupported for a type that has none; conflict */
  openConsole(
    service: string,
    options: { database: string | null },
    terminal: Terminal,
    control: Control,
  ): Promise<ExitCode>
  /** @throws conflict for one that does not run here; unreachable */
  connectService(service: string, control: Control): Promise<Duplex>
}

export interface RestoreRequest {
  /** A service that is not there yet; the one that it was of when absent. */
  into?: string | undefined
  /** The backup's when absent. */
  version?: string | undefined
  /** Has the rack's account run the new one. */
  managed?: boolean | undefined
  /** Into the service that it was of, which runs and has other data now. */
  inPlace?: boolean | undefined
  /** With `inPlace`, although apps link it. */
  force?: boolean | undefined
}
