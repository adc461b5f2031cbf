import type { HistoryRow, Life } from '../app-archive.ts'
import type { App, AppStatus } from '../app.ts'
import type { Build, BuildContent } from '../build.ts'
import type { Environment } from '../environment.ts'
import type { Formation } from '../manifest.ts'
import type { NoticedPort } from '../noticed-port.ts'
import type { Operation, OperationIntent } from '../operation.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from '../release.ts'

export interface AppStore {
  /** One write: the app is `running`, with nothing live. @throws exists */
  create(name: string): Promise<App>
  get(name: string): Promise<App | null>
  list(): Promise<App[]>
  /** @throws not-found */
  setStatus(name: string, status: AppStatus): Promise<void>
  /** @throws not-found */
  setLocked(name: string, locked: boolean): Promise<void>
  /** Removes the app and all its rows, its journal too. Safe to repeat. */
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
  /** Those of the ids that a build has, whatever its app and status. */
  known(ids: string[]): Promise<Set<string>>
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
   * @throws not-found for an unknown app, a build that is not the app's, or a service that is no more
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
  /** The release that was live when this one became it, the last time that it did; null for the first. */
  liveBefore(app: string, id: string): Promise<string | null>
  /** When which release became live, oldest first. */
  lives(app: string): Promise<Life[]>
  /** Whether a release of the build is live, or was since the app is on this rack. */
  wasBuildLive(app: string, build: string): Promise<boolean>
}

/** An app that comes from another rack; whoever brings it removes it where it does not come whole. */
export interface ImportStore {
  /** One write: the app, which is `creating` until its row of the journal is complete, and that row. @throws exists */
  begin(app: string, actor: string, intent: OperationIntent): Promise<Operation>
  /** Those of the ids that a build or a release has, of whatever app. */
  known(ids: string[]): Promise<Set<string>>
  /**
   * Adds rows to the history as they are, in their order: a build before releases that name it. Links are taken as they
   * are. One write.
   * @throws not-found for an unknown app; exists for an id that somebody has
   */
  add(app: string, rows: HistoryRow[]): Promise<void>
  /** That releases were live, oldest first. */
  addLives(app: string, lives: Life[]): Promise<void>
}

export interface NoticedPortStore {
  /** What was found out of an app's raw ports; written with what becomes live, in one transaction. */
  get(app: string): Promise<NoticedPort[]>
}

export interface FormationStore {
  /** By process type; empty before the first promote. */
  get(app: string): Promise<Record<string, Formation>>
}
