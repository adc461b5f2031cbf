import type { App, AppStatus } from './app.ts'
import type { Build, BuildContent } from './build.ts'
import type { Receipt } from './deployment.ts'
import type { Environment } from './environment.ts'
import type { Formation } from './manifest.ts'
import type { Operation, OperationIntent, OperationKind } from './operation.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from './release.ts'

/**
 * Everything a rack must not forget. A method that settles has made its change durable: it survives SIGKILL. Every
 * method throws `store-failed` when the database does not answer. `test/contract/store.ts` runs on every database.
 */
export interface Store {
  apps: AppStore
  builds: BuildStore
  releases: ReleaseStore
  operations: OperationStore
  formations: FormationStore
  addresses: AddressStore
  tokens: TokenStore
  parameters: ParameterStore
  close(): Promise<void>
}

export interface AppStore {
  /** @throws exists */
  create(name: string): Promise<App>
  get(name: string): Promise<App | null>
  list(): Promise<App[]>
  /** @throws not-found */
  setStatus(name: string, status: AppStatus): Promise<void>
  /** @throws not-found */
  setLocked(name: string, locked: boolean): Promise<void>
  /** Removes the app and all its rows, its journal too; the address ranges are free again. Safe to repeat. */
  remove(name: string): Promise<void>
}

export interface BuildStore {
  /** @throws not-found for an unknown app */
  create(app: string, description: string | null): Promise<Build>
  get(app: string, id: string): Promise<Build | null>
  /** Newest first. */
  list(app: string, limit: number): Promise<Build[]>
  /** Every build in `status`, of all apps. */
  inStatus(status: Build['status'][]): Promise<Build[]>
  /** Safe to repeat. @throws not-found; conflict when it has ended, cancelled before it began included */
  start(id: string): Promise<void>
  /** The first reason stands. @throws not-found; conflict when it is complete */
  fail(id: string, reason: string): Promise<void>
  /** The manifest source is encrypted at rest. @throws not-found */
  content(id: string): Promise<BuildContent>
  /**
   * Its releases stay, without a build. Safe to repeat.
   * @throws conflict for a build that a running operation names, or whose release is live or about to be
   */
  remove(app: string, id: string): Promise<void>
}

export interface ReleaseStore {
  /**
   * Reads the history, derives and appends in one transaction: of two at once, the second sees the first's. What
   * `derive` throws comes out as it is, and nothing is appended.
   * @throws not-found for an unknown app, or a build that is not the app's
   */
  append(app: string, derive: (history: ReleaseHistory) => ReleaseDraft): Promise<Release>
  /** The same, and completes the build with its content in the same transaction. @throws conflict when it has ended */
  appendOfBuild(
    build: string,
    content: BuildContent,
    derive: (history: ReleaseHistory) => ReleaseDraft,
  ): Promise<Release>
  get(app: string, id: string): Promise<Release | null>
  /** @throws not-found */
  environment(app: string, id: string): Promise<Environment>
  /** Newest first. */
  list(app: string, limit: number): Promise<Release[]>
  newest(app: string): Promise<Release | null>
}

export interface OperationStore {
  /**
   * Opens a journal row. An exclusive kind is refused while another runs on the app.
   * @throws busy with `details: Operation`; not-found for an unknown app
   */
  begin(app: string, kind: OperationKind, actor: string, intent: OperationIntent): Promise<Operation>
  get(id: string): Promise<Operation | null>
  /** Rows still running, oldest first. */
  running(): Promise<Operation[]>
  /** Newest first. */
  list(app: string, limit: number): Promise<Operation[]>
  /**
   * Closes a promote, scale or restart that the engine has finished: live release, formation and receipt change in
   * one transaction, and the app is `running`. A build or a run leaves the app as it is. Safe to repeat.
   * @throws not-found, also when the app was removed meanwhile; conflict when it was closed by `fail`
   */
  complete(id: string, result: OperationResult): Promise<void>
  /**
   * Closes a row whose work was undone; `appStatus` is what the app is now. Without it an exclusive kind gives back
   * the status from before its beginning. Safe to repeat: the first error stands.
   * @throws not-found, also when the app was removed meanwhile; conflict when it is complete
   */
  fail(
    id: string,
    status: 'failed' | 'cancelled',
    error: NonNullable<Operation['error']>,
    appStatus?: AppStatus,
  ): Promise<void>
}

export interface OperationResult {
  liveRelease?: string
  /** By type; types that are not named keep theirs. */
  formation?: Record<string, Formation>
  receipt?: Receipt
}

export interface FormationStore {
  /** By process type; empty before the first promote. */
  get(app: string): Promise<Record<string, Formation>>
}

/** One subnet per app from the rack's pool, and every address in it. */
export interface AddressStore {
  /** The app's subnet; taken from the pool on first use. `isUsable` refuses one that clashes with the host. @throws capacity when the pool is empty */
  subnet(app: string, pool: AddressPool, isUsable: (cidr: string) => boolean): Promise<string>
  /**
   * An address of the app's subnet for a holder (a process id); the same again for the same holder. The first address
   * is the gateway's and never given; one that was freed comes last.
   * @throws not-found before `subnet`; capacity when all are taken
   */
  take(app: string, holder: string): Promise<string>
  /** Safe to repeat. */
  free(app: string, holder: string): Promise<void>
  holders(app: string): Promise<{ holder: string; address: string }[]>
  /** Gives the app's subnet back. */
  freeSubnet(app: string): Promise<void>
}

export interface AddressPool {
  /** CIDR, e.g. `10.213.0.0/16`. */
  cidr: string
  /** Prefix length of one app's subnet, e.g. 24. */
  subnetBits: number
}

export interface TokenStore {
  /** Keeps a hash only; a hash that is known takes the new name and permission. */
  add(name: string, sha256: string, permission: Permission): Promise<void>
  find(sha256: string): Promise<{ name: string; permission: Permission } | null>
}

export type Permission = 'read' | 'write'

export interface ParameterStore {
  get(name: string): Promise<string | null>
  set(name: string, value: string): Promise<void>
}
