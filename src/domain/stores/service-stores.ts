import type { LinkAddress } from '../link.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from '../release.ts'
import type { AppLink, LinkLogin, Service, ServiceRun, ServiceStatus, ServiceVersion } from '../service.ts'
import type { KeptShare, Share, ShareKeys } from '../share.ts'

/**
 * Services, and each version of how they are reached; addresses are encrypted at rest. A version is kept while it is the
 * newest of its service, or a release names it; one that is a link's own until it is removed.
 */
export interface ServiceStore {
  /** With the first version of its address. @throws exists */
  create(service: NewServiceRow, address: LinkAddress): Promise<Service>
  get(name: string): Promise<Service | null>
  /** By name. */
  list(): Promise<Service[]>
  /** How it runs; null for one that somebody else runs. */
  run(name: string): Promise<ServiceRun | null>
  /** Safe to repeat. @throws not-found */
  change(name: string, change: { status?: ServiceStatus; run?: ServiceRun }): Promise<void>
  /** Tells of something that has happened to it, as an event. Nothing for one that is no more. */
  tell(name: string, facts: Record<string, string>): Promise<void>
  /**
   * Begins its end: nobody can link or share it from then on.
   * @throws not-found; conflict with `details: AppLink[]` while an app links it, and while another rack has it
   */
  retire(name: string, status: 'retiring' | 'deleting'): Promise<void>
  /** Null where it is no more. */
  version(name: string, version: string): Promise<ServiceVersion | null>
  /** All of a service, oldest first. */
  versions(name: string): Promise<ServiceVersion[]>
  /** Adds one for a link alone; gives its id. @throws not-found */
  addVersion(name: string, address: LinkAddress, login: LinkLogin): Promise<string>
  /** Safe to repeat. */
  removeVersion(name: string, version: string): Promise<void>
  /**
   * Adds a version, which is the service's from then on, and a release of each app whose newest one links the service: all
   * in one transaction. The releases come by app.
   * @throws not-found
   */
  setAddress(
    name: string,
    address: LinkAddress,
    derive: (history: ReleaseHistory, version: string) => ReleaseDraft,
  ): Promise<Release[]>
  /** Of all apps, by app and alias: of their newest release, their live one, and what is about to be live. */
  links(): Promise<AppLink[]>
  /** With all of its versions. @throws not-found; conflict with `details: AppLink[]` while an app links it */
  remove(name: string): Promise<void>
}

export interface NewServiceRow {
  name: string
  type: string
  status: ServiceStatus
  run: ServiceRun | null
}

/** What other racks have. A share that is revoked stays, since its certificate is to be refused. */
export interface ShareStore {
  /**
   * Writes down one that is being made: `opening` until `open`. A consumer has one share of a service.
   * @throws not-found for an unknown service; conflict for one that goes; exists
   */
  begin(derive: (id: string) => Promise<Omit<Share, 'id' | 'created'>>): Promise<Share>
  /** All there ever were, oldest first. */
  list(): Promise<KeptShare[]>
  /** Safe to repeat; one that is revoked stays so. */
  open(id: string): Promise<void>
  /** Takes it back: `closing` until `close`. Safe to repeat: the first time counts. */
  revoke(id: string): Promise<void>
  /** Nobody comes in by it any more. Safe to repeat; one that is not `closing` stays as it is. */
  close(id: string): Promise<void>
  /** Null before the first share. Sealed at rest. */
  keys(): Promise<ShareKeys | null>
  keepKeys(keys: ShareKeys): Promise<void>
}
