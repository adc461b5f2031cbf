import type { Control } from '../../../domain/control.ts'
import type { ServiceInfo } from '../service-info.ts'

/** How a service that runs here comes to run otherwise. All throw `not-found` for a service that is none. */
export interface UpdateOperations {
  planServiceUpdate(service: string, change: ServiceChange, control: Control): Promise<PlannedUpdate>
  /** @throws invalid; unsupported; capacity; image-unavailable; timeout; service-failed */
  updateService(service: string, request: UpdateRequest, control: Control): Promise<UpdatedService>
  /** Drops what an upgrade has kept, or goes back to it. @throws conflict where nothing is kept */
  finishServiceUpdate(service: string, options: { undo: boolean }, control: Control): Promise<ServiceInfo>
  /** Ends the change that runs, and settles when it is undone. @throws conflict when nothing runs */
  cancelService(service: string, control: Control): Promise<ServiceInfo>
}

/** What is to be otherwise; the rest stays. */
export interface ServiceChange {
  /** Of a known type. */
  version?: string | undefined
  /** Of the type `image`. */
  image?: string | undefined
  cpuUnits?: number | undefined
  memoryBytes?: number | undefined
}

/** What a change comes to, before anything is touched. */
export interface PlannedUpdate {
  /**
   * `restart`: it is stopped and started on the data that it has. `upgrade`: the files of its data are of another form, so
   * that all of it is taken out and put into a new volume, while nobody reaches it. `machine`: the account that runs it moves
   * it to another machine, while nobody reaches it. `version`: that brings it to another version, and to no older one again.
   */
  kind: 'nothing' | 'restart' | 'upgrade' | 'machine' | 'version'
  image: string
  cpuUnits: number
  memoryBytes: number
  /** Of an upgrade: what lies in its volumes; null where that cannot be told. */
  bytes: number | null
  /** Of an upgrade: about how long nobody reaches it. */
  estimateMs: number | null
  /** Of another version by the account: what becomes of it then. */
  says: string | null
}

export interface UpdateRequest extends ServiceChange {
  /** The longest time for which nobody may reach it while its data is upgraded. */
  pauseMs: number
}

export interface UpdatedService {
  service: ServiceInfo
  /** How long nobody could reach it; null where nothing was done. */
  pausedMs: number | null
  /** Of an upgrade: the backup that was made on the way. */
  backup: string | null
}
