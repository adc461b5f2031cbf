import type { BackupFailure } from '../../domain/backup.ts'
import type { AppLink, PublicAddress, Service, ServiceRun } from '../../domain/service.ts'

export interface ServiceInfo extends Omit<Service, 'status'> {
  /** `degraded`: it shall run, and does not. */
  status: Service['status'] | 'degraded'
  /** More words on its process: `crashed (137, OOM) ×6`; null for one that does not run here. */
  detail: string | null
  /** How it runs; null for one that somebody else runs. */
  run: ToldRun | null
  address: PublicAddress
  /** Since when it is there, and who logs in so. */
  since: string
  /** The apps that have it. */
  links: AppLink[]
  /** When it was backed up last; null where it never was, or nobody has looked. */
  backedUp: string | null
  /** Why the last backup that was due by itself is not there; null where it is. */
  backupFailed: BackupFailure | null
  /** What it tells of itself; null in a list, and of one that does not run here. */
  inside: ServiceInside | null
}

/** What a service tells of itself now; null where it does not tell. */
export interface ServiceInside {
  /** Of its data, on the disk. */
  bytes: number | null
  /** Clients that are connected. */
  connections: number | null
  /** Its databases, those too that links have left. */
  data: ServiceData[] | null
}

export interface ServiceData {
  name: string
  /** `shop (as db)` */
  links: string[]
}

interface ToldRun extends Pick<ServiceRun, 'image' | 'says' | 'cpuUnits' | 'memoryBytes'> {
  restarts: number
  /** What it was before an upgrade, whose data is kept: `postgres:13`; null where nothing is. */
  kept: string | null
  volumes: number
  /** Whether the account runs it; cpu and memory are then those of its client here. */
  managed: boolean
  /** Whether the account keeps a last snapshot when it is deleted. */
  leavesSnapshot: boolean
}
