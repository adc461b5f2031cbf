import type { Backup } from '../../domain/backup.ts'
import type { Control } from '../../domain/control.ts'
import type { AppVolume } from '../../domain/volume.ts'

/** The volumes of apps, and what lies in them. All throw `not-found` for a volume or a backup that is none. */
export interface VolumeOperations {
  /** Of one app or of all, and of apps that are no more. */
  listVolumes(filter: { app?: string | undefined; sizes: boolean }, control: Control): Promise<VolumeInfo[]>
  getVolume(app: string, volume: string, options: { sizes: boolean }, control: Control): Promise<VolumeInfo>
  /** @throws conflict while the live release mounts it or a process holds it; busy */
  deleteVolume(app: string, volume: string, control: Control): Promise<void>
  /** Keeps what lies in a volume. @throws busy and conflict with `stop`; disk-full */
  backupVolume(app: string, reading: VolumeReading, control: Control): Promise<Backup>
  /** The archive of a volume as it is, which is not kept. @throws as `backupVolume` */
  dumpVolume(
    app: string,
    reading: VolumeReading,
    out: (chunk: Uint8Array) => Promise<void>,
    control: Control,
  ): Promise<void>
  /**
   * Puts a backup into a volume: into a new one, which is mounted then.
   * @throws conflict where processes have it, unless `force`; invalid; busy; disk-full
   */
  restoreVolume(app: string, volume: string, restore: VolumeRestore, control: Control): Promise<VolumeInfo>
}

/** Which volume is read, and how. */
export interface VolumeReading {
  volume: string
  /** Processes that have it are stopped first, and started again. */
  stop: boolean
}

export interface VolumeRestore {
  backup: string
  /** Although processes have the volume: what they have written since the backup is lost. */
  force: boolean
}

export interface VolumeInfo extends AppVolume {
  /** Process types of the live release that mount it. */
  usedBy: string[]
  /** True when its app was deleted. */
  leftOver: boolean
}
