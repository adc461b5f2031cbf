import type { Control } from '../../domain/control.ts'
import type { LinkCheck, ProcessLinkInfo } from '../../domain/link-check.ts'
import type { Release } from '../../domain/release.ts'
import type { AppLink, PublicAddress } from '../../domain/service.ts'
import type { LinkOptions } from '../../domain/service-link.ts'

/** Links of apps to services, and between processes. */
export interface LinkOperations {
  /** Of one app or of all. */
  listLinks(filter: { app?: string | undefined }): Promise<LinkInfo[]>
  /** Links between processes, by the live releases of one app or of all. */
  listProcessLinks(filter: { app?: string | undefined }): Promise<ProcessLinkInfo[]>
  /** Opens each link of what is live, from inside the app, and logs in where the type can: one that fails is told. */
  checkLinks(filter: { app?: string | undefined }, control: Control): Promise<LinkCheck[]>
  /** Makes a release. @throws exists; conflict; invalid */
  createLink(app: string, link: NewLink, control: Control): Promise<ChangedLink>
  /** Makes a release with another login. @throws conflict for a service that gives no link one of its own */
  rotateLink(app: string, link: string, control: Control): Promise<ChangedLink>
  /** Makes a release. @param link its name, or its service's */
  deleteLink(app: string, link: string): Promise<ChangedLink>
  /** Ends logins of a link, and their sessions, that no newest, live or coming release has: processes that drain too lose them. */
  revokeLogins(app: string, link: string, control: Control): Promise<{ revoked: number }>
}

export interface NewLink extends LinkOptions {
  service: string
  /** The name for it inside the app; the service's when absent. */
  alias?: string | undefined
}

export interface ChangedLink {
  /** Its name inside the app. */
  alias: string
  release: Release
  /** False where all was so already. */
  isNew: boolean
  /** What whoever asked should know. */
  notes: string[]
}

export interface LinkInfo extends AppLink {
  /** Of the service; null when it is no more. */
  type: string | null
  address: PublicAddress | null
}
