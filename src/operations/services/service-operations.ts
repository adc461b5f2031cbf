import type { Control } from '../../domain/control.ts'
import type { AppLogLine, LogQuery } from '../../domain/engine.ts'
import type { Release } from '../../domain/release.ts'
import type { ServiceInfo } from './service-info.ts'
import type { MadeShare, NewShare, ShareInfo } from './sharing/share-info.ts'

/** Services and what other racks have of them. All throw `not-found` for an unknown service. */
export interface ServiceOperations {
  listServices(control: Control): Promise<ServiceInfo[]>
  getService(service: string, control: Control): Promise<ServiceInfo>
  /**
   * Settles when it answers; one that runs here and does not is taken back. @throws exists; invalid for a name, a type or a
   * URL that cannot be; capacity; image-unavailable; service-failed
   */
  createService(service: NewService, control: Control): Promise<ChangedService>
  /** Makes a release of every app that links it; none where the URL is the same. @throws invalid */
  setServiceUrl(
    service: string,
    given: { url?: string | undefined; share?: string | undefined },
    control: Control,
  ): Promise<ChangedService>
  /**
   * Gives a service that runs here to one other rack; the line by which that has it is told this once.
   * @throws exists for one that has it; conflict for what does not run here; unsupported; port-taken
   */
  shareService(service: string, share: NewShare, control: Control): Promise<MadeShare>
  /** Takes it back; connections end. @throws not-found; conflict where there are several and none is named */
  unshareService(service: string, whom: { consumer?: string | undefined }, control: Control): Promise<void>
  listShares(): Promise<ShareInfo[]>
  /** The URL with its password. */
  revealService(service: string): Promise<{ url: string }>
  /** Of one that runs here; settles when it answers again. */
  restartService(service: string, control: Control): Promise<ServiceInfo>
  /** Its data stays unless `volumes`; of one that the account runs, a last snapshot alone. @throws conflict with `details: AppLink[]` while an app links it */
  deleteService(service: string, options: { volumes: boolean }, control: Control): Promise<DeletedService>
  /** Ends a database for good. @throws conflict while a link has it; not-found */
  dropServiceData(service: string, data: string, control: Control): Promise<void>
  serviceLogs(service: string, query: Omit<LogQuery, 'owner'>, control: Control): AsyncIterable<AppLogLine>
}

export interface NewService {
  name: string
  /** `url`, `image`, or one that the rack knows. */
  type: string
  /** Of type `url`: where it is, and who logs in there. A secret. */
  url?: string | undefined
  /** Of type `shared`: the line that the other rack has printed. A secret. */
  share?: string | undefined
  /** Of a known type; its usual one when absent. */
  version?: string | undefined
  /** Of type `image`. */
  image?: string | undefined
  /** Of type `image`: the first that the image exposes when absent. */
  port?: number | undefined
  /** What the type says when absent. */
  cpuUnits?: number | undefined
  memoryBytes?: number | undefined
  /** Has the rack's account run it, where it does; from an image when absent. */
  managed?: boolean | undefined
}

export interface DeletedService {
  /** What the account keeps of one that it has run, by its name there. */
  snapshot: string | null
}

export interface ChangedService {
  service: ServiceInfo
  /** Of the apps that link it, by app: to be promoted. */
  releases: Release[]
  /** Why it may not be what was meant. */
  warning: string | null
}
