import type { Admission } from '../domain/admission.ts'
import type { App } from '../domain/app.ts'
import type { Build } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import type { Receipt } from '../domain/deployment.ts'
import type { LogLine, LogQuery, RunningOneOff, Swept } from '../domain/engine.ts'
import type { Environment, ResolvedVariable } from '../domain/environment.ts'
import type { Formation } from '../domain/manifest.ts'
import type { Operation } from '../domain/operation.ts'
import type { Plan } from '../domain/plan.ts'
import type { ExitCode, Process, ProcessFilter } from '../domain/process.ts'
import type { Capacity } from '../domain/rack.ts'
import type { Release } from '../domain/release.ts'
import type { Permission } from '../domain/store.ts'
import type { Terminal } from '../domain/terminal.ts'

/**
 * All that a rack can be asked to do, whoever asks. Every method rejects with a `RackError`; one that names an app,
 * build, release or process rejects with `not-found` when there is none. `actor` is the name of the token.
 */
export interface Operations {
  /** Who holds this token; null when nobody does. Compares hashes. */
  authenticate(token: string): Promise<Caller | null>
  /** At once, without asking anything else. */
  status(): RackStatus
  getRack(control: Control): Promise<RackInfo>
  /** With `if`, whether that formation of the app would fit too. */
  getCapacity(question: CapacityQuestion, control: Control): Promise<CapacityAnswer>
  prune(options: PruneOptions, actor: string, control: Control): Promise<Swept>

  listApps(): Promise<App[]>
  getApp(app: string): Promise<AppInfo>
  /** @throws exists, invalid */
  createApp(app: string, actor: string): Promise<App>
  /** @throws locked, busy */
  deleteApp(app: string, options: { volumes: boolean }, actor: string, control: Control): Promise<void>
  setLocked(app: string, locked: boolean, actor: string): Promise<App>
  /** Settles when the running change is undone. @throws conflict when none runs */
  cancelApp(app: string, actor: string, control: Control): Promise<Operation>
  /** Newest first. */
  listOperations(app: string): Promise<Operation[]>

  /**
   * Reads the source to its end, builds, makes the release. The first phase that it reports has the build's id as its
   * `detail`, so that the caller can cancel it.
   */
  buildApp(app: string, request: BuildAppRequest, actor: string, control: Control): Promise<BuildAppResult>
  listBuilds(app: string): Promise<Build[]>
  getBuild(app: string, build: string): Promise<Build>
  /** From the start; with `follow`, until the build has ended. */
  buildLog(
    app: string,
    build: string,
    options: { follow: boolean },
    control: Control,
  ): AsyncIterable<Progress>
  /** @throws conflict when it does not run */
  cancelBuild(app: string, build: string, actor: string, control: Control): Promise<Build>
  /** @throws conflict when its release is live */
  deleteBuild(app: string, build: string, actor: string): Promise<void>

  listReleases(app: string): Promise<Release[]>
  getRelease(app: string, release: string): Promise<Release>
  releaseManifest(app: string, release: string): Promise<ReleaseManifest>
  diffReleases(app: string, pair: { from: string; to: string }, control: Control): Promise<ReleaseDiff>
  planPromotion(app: string, release: string, control: Control): Promise<PromotionPlan>
  promoteRelease(app: string, release: string, actor: string, control: Control): Promise<PromotionResult>
  /** Makes a new release of the old one's build and environment, and promotes it. */
  rollbackRelease(app: string, release: string, actor: string, control: Control): Promise<PromotionResult>

  getEnvironment(app: string, view: EnvironmentView): Promise<EnvironmentAnswer>
  changeEnvironment(app: string, change: EnvironmentChange, actor: string): Promise<Release>

  listProcesses(app: string, filter: Omit<ProcessFilter, 'app'>, control: Control): Promise<Process[]>
  getProcess(app: string, process: string, control: Control): Promise<Process>
  stopProcess(app: string, process: string, actor: string, control: Control): Promise<void>
  /** Settles when the process runs; with a terminal, the end of `control.signal` ends it. */
  runProcess(app: string, request: RunRequest, actor: string, control: Control): Promise<RunningOneOff>
  /** The end of `control.signal` ends the command. */
  execProcess(app: string, request: ExecRequest, actor: string, control: Control): Promise<ExitCode>
  getFormation(app: string): Promise<TypeFormation[]>
  planScale(app: string, changes: FormationChanges, control: Control): Promise<PromotionPlan>
  scaleProcesses(
    app: string,
    changes: FormationChanges,
    actor: string,
    control: Control,
  ): Promise<ScaleResult>
  /** Replaces the copies of one type, or of all. */
  restartApp(
    app: string,
    options: { type?: string | undefined },
    actor: string,
    control: Control,
  ): Promise<{ receipt: Receipt }>
  appLogs(query: LogQuery, control: Control): AsyncIterable<LogLine>
}

export interface Caller {
  /** The name of the token. */
  name: string
  permission: Permission
}

export type RackStatus = 'running' | 'updating' | 'converging'

export interface RackInfo {
  name: string
  status: RackStatus
  version: string
  /** What the host names of apps end in. */
  domain: string
  /** The address of the API. */
  api: string
  /** The address on which the router serves http. */
  http: string
  daemon: { pid: number }
  /** The pid is null while it is down. */
  router: { pid: number | null }
  capacity: Capacity
}

export interface CapacityQuestion {
  app?: string | undefined
  /** Copies by process type. */
  if?: Record<string, number> | undefined
}

export interface CapacityAnswer extends Capacity {
  /** Null when nothing was asked. */
  admission: Admission | null
}

/** What to sweep beyond leftovers. */
export interface PruneOptions {
  images: boolean
  cache: boolean
  logs: boolean
}

export interface AppInfo extends App {
  /** Where the live release answers, the main one first. */
  urls: string[]
  /** The change that runs now. */
  operation: Operation | null
}

export interface BuildAppRequest {
  /** A tar stream: `manifest/…` and `source/…`. Read once. */
  source: AsyncIterable<Uint8Array>
  description: string | null
  noCache: boolean
  /** Creates the app when there is none. */
  create: boolean
}

export interface BuildAppResult {
  build: Build
  release: Release
}

export interface ReleaseManifest {
  release: string
  /** The compose files in the order of merging, as they were sent. */
  files: { path: string; text: string }[]
}

export interface ReleaseDiff {
  from: string
  to: string
  /** Names only. */
  environment: { added: string[]; changed: string[]; removed: string[] }
  /** Types that are the same in both are left out. */
  processes: ProcessDiff[]
  /** Types whose copies a promote of `to` would replace. */
  restarts: string[]
  /** What a promote of `to` would need at its busiest moment. */
  admission: Admission
}

export interface ProcessDiff {
  type: string
  change: 'added' | 'removed' | 'changed'
  /** Values of variables are masked. */
  fields: { field: string; from: string | null; to: string | null }[]
}

export interface PromotionPlan {
  /** Values of variables are masked. */
  plan: Plan
  admission: Admission
  /** Types whose copies will be replaced or started. */
  changed: string[]
  /** Required variables without a value, by process type. */
  missing: Record<string, string[]>
}

export interface PromotionResult {
  release: Release
  receipt: Receipt
}

export interface EnvironmentView {
  /** The final set of this process type, the compose file's and the rack's own included; else the app's. */
  process?: string | undefined
  /** Instead of the newest release's. */
  release?: string | undefined
}

export interface EnvironmentAnswer {
  /** Null when the app has no release. */
  release: string | null
  variables: ResolvedVariable[]
}

export interface EnvironmentChange {
  set: Environment
  unset: string[]
  /** True drops whatever `set` does not name. */
  replace: boolean
}

export interface RunRequest {
  type: string
  command: string[]
  /** Instead of the live one. */
  release?: string | undefined
  timeoutMs?: number | undefined
  /** Null detaches. */
  terminal: Terminal | null
}

export interface ExecRequest {
  process: string
  command: string[]
  terminal: Terminal
}

export interface TypeFormation extends Formation {
  type: string
}

/** By process type; what is left out stays as it is. */
export type FormationChanges = Record<string, Partial<Formation>>

export interface ScaleResult {
  formation: TypeFormation[]
  /** Null when nothing is live yet. */
  receipt: Receipt | null
}
