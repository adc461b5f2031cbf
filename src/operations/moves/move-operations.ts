import type { AppExportContents, AppExportScope } from '../../domain/app-archive.ts'
import type { Control } from '../../domain/control.ts'

/** How an app goes from one rack to another. */
export interface MoveOperations {
  /** What an export would hold, and what not. @throws busy while the app comes or goes */
  planAppExport(app: string, scope: AppExportScope, control: Control): Promise<AppExportContents>
  /** The archive of an app, in clear; nobody keeps it. @throws as `planAppExport`; image-unavailable */
  exportApp(
    app: string,
    scope: AppExportScope,
    out: (chunk: Uint8Array) => Promise<void>,
    control: Control,
  ): Promise<void>
  /**
   * Makes an app of such an archive, with all that is in it or not at all; nothing of it runs yet. Whoever leaves ends it.
   * @throws invalid for what is none, or is cut or altered; unsupported for one of a newer Rack; exists; conflict for a
   * domain, a volume or a service that is in the way; manifest-invalid; capacity with `isNext`; disk-full
   */
  importApp(content: AsyncIterable<Uint8Array>, request: AppImport, control: Control): Promise<ImportedApp>
}

export interface AppImport {
  /** What it is called here; as it was called when absent. */
  name?: string | undefined
  /** It is to be made live next: refused before anything is made where that cannot be. */
  isNext: boolean
}

/** An app that has come, of which nothing runs. */
export interface ImportedApp {
  app: string
  /** What is to be made live of it; null where it has no build. */
  release: string | null
  /** To be made live by a rollback to it, which gives it logins: what it links, the newest release does not. */
  isGoneBackTo: boolean
  /** How many releases it has. */
  releases: number
  volumes: string[]
  domains: string[]
  /** Whose it was. */
  from: { app: string; rack: string; created: string }
  /** What is other than it was, or is to be done, a sentence each. */
  notes: string[]
}
