/** A backup of a service, or of a volume of an app, that the rack keeps. It is in the list from the moment when it is whole. */
export interface Backup {
  /** `K` and ten capitals. */
  id: string
  service: string
  type: string
  /** Of the service when it was made; the whole image where nothing is known of its type. */
  version: string
  created: string
  /** Where the service serves, where its type does not say it. */
  port?: number
  /** Why it was made. */
  reason: BackupReason
  /** As it is kept: compressed and sealed. */
  bytes: number
  /** Of what is kept. */
  sha256: string
  /** What it is made of, as the type's own programs wrote it. */
  parts: { name: string; bytes: number; sha256: string }[]
}

/** What a backup of a volume says as its type; its service is `APP/VOLUME`, and it has no version. */
export const volumeBackup = 'volume'

/** `schedule`: retention may remove it. `final`: of a service that was deleted. */
export const backupReasons = ['asked', 'schedule', 'upgrade', 'final'] as const

export type BackupReason = (typeof backupReasons)[number]

/** That a service is backed up again and again. */
export interface BackupSchedule {
  service: string
  /** Minute, hour, day, month, weekday; in UTC. */
  every: string
  /** `7d,4w,6m`; null keeps all. */
  keep: string | null
  since: string
  /** Why the last that was due is not there; null where it is, and where none was due yet. */
  failed: BackupFailure | null
}

export interface BackupFailure {
  time: string
  reason: string
}
