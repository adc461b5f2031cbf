import type { Admission } from '../domain/admission.ts'
import type { App } from '../domain/app.ts'
import type { Build } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import type { Receipt } from '../domain/deployment.ts'
import type { LogLine, LogQuery, RunningOneOff, Swept } from '../domain/engine.ts'
import type { Environment, EnvironmentLayer } from '../domain/environment.ts'
import type { Formation } from '../domain/manifest.ts'
import type { Operation } from '../domain/operation.ts'
import type { Plan } from '../domain/plan.ts'
import type { Policy, PolicyChange } from '../domain/policy.ts'
import type { ExitCode, Process, ProcessFilter } from '../domain/process.ts'
import type { Capacity } from '../domain/rack.ts'
import type { Release } from '../domain/release.ts'
import type { Permission } from '../domain/store.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Volume } from '../domain/volume.ts'

/**
 * The verbs of a rack: what the API serves. Each is one file of this folder. All throw `not-found` for an unknown app,
 * build, release or process.
 */
export interface Operations {
  /** The token's name and permission, or null for one that this rack does not know. */
  authenticate(token: string): Promise<{ name: string; permission: Permission } | null>

  getRack(control: Control): Promise<RackInfo>
  getCapacity(control: Control): Promise<Capacity>
  /** What processes may have of the machine. */
  getPolicy(): Promise<Policy>
  /** Holds for the next build and promote; what runs goes on. @throws invalid; not-found for a path to deny */
  changePolicy(change: PolicyChange, actor: string): Promise<Policy>
  /** Removes what retention no longer keeps. */
  prune(options: PruneOptions, control: Control): Promise<Swept>

  listApps(): Promise<App[]>
  getApp(app: string, control: Control): Promise<AppInfo>
  /** @throws exists; invalid */
  createApp(app: string): Promise<App>
  /** @throws locked; busy */
  deleteApp(app: string, options: { volumes: boolean }, actor: string, control: Control): Promise<void>
  setLocked(app: string, locked: boolean): Promise<App>
  /** Ends the running change and settles when what ran before runs again. @throws conflict when nothing runs */
  cancelApp(app: string, control: Control): Promise<Operation>

  /** @throws manifest-invalid with `details: Problem[]`; build-failed; too-large; disk-full */
  buildApp(app: string, upload: BuildUpload, actor: string, control: Control): Promise<BuildResult>
  listBuilds(app: string, limit: number): Promise<Build[]>
  getBuild(app: string, build: string): Promise<Build>
  /** The build's log from its start; with `follow` until it has ended. */
  buildLog(
    app: string,
    build: string,
    options: { follow: boolean },
    control: Control,
  ): AsyncIterable<Progress>
  cancelBuild(app: string, build: string, control: Control): Promise<Build>
  deleteBuild(app: string, build: string): Promise<void>

  listReleases(app: string, limit: number): Promise<ReleaseInfo[]>
  getRelease(app: string, release: string): Promise<ReleaseInfo>
  /** The compose file's text. */
  releaseManifest(app: string, release: string): Promise<string>
  /** `from` defaults to the live release, or to what it replaced when it is the newest; `to` to the newest. */
  diffReleases(app: string, range: { from?: string; to?: string }): Promise<ReleaseDiff>
  planPromotion(app: string, release: string, control: Control): Promise<Promotion>
  /** @throws busy; capacity with `details: Admission`; environment-missing; deploy-failed; cancelled */
  promoteRelease(app: string, release: string, actor: string, control: Control): Promise<PromoteResult>
  /** Makes a new release of the old one's build and environment, and promotes it. */
  rollbackRelease(
    app: string,
    release: string | null,
    actor: string,
    control: Control,
  ): Promise<PromoteResult>

  /** The newest release's environment. */
  getEnvironment(app: string, release?: string): Promise<Environment>
  /** The final variables of one process type of the newest release, with their origin. */
  processEnvironment(app: string, process: string): Promise<OriginVariable[]>
  /** @throws invalid */
  changeEnvironment(app: string, change: EnvironmentChange): Promise<Release>
  /** Names only, never a value. */
  diffEnvironment(app: string, from: string, to: string): Promise<NameChanges>

  listProcesses(app: string, filter: Omit<ProcessFilter, 'app'>, control: Control): Promise<Process[]>
  getProcess(app: string, process: string, control: Control): Promise<Process>
  stopProcess(app: string, process: string, control: Control): Promise<void>
  /** @throws capacity; not-found for an unknown type */
  runProcess(
    app: string,
    run: RunRequest,
    terminal: Terminal | null,
    control: Control,
  ): Promise<RunningOneOff>
  execProcess(
    app: string,
    exec: { process: string; command: string[] },
    terminal: Terminal,
    control: Control,
  ): Promise<ExitCode>

  getFormation(app: string): Promise<Record<string, Formation>>
  planScale(app: string, changes: FormationChanges, control: Control): Promise<Promotion>
  scaleProcesses(
    app: string,
    changes: FormationChanges,
    actor: string,
    control: Control,
  ): Promise<PromoteResult>
  /** Replaces the copies of one type or all, dropping nothing. */
  restartApp(app: string, type: string | null, actor: string, control: Control): Promise<PromoteResult>

  /** Of one app or of all, and of apps that are no more. */
  listVolumes(filter: { app?: string; sizes: boolean }, control: Control): Promise<VolumeInfo[]>
  getVolume(app: string, volume: string, options: { sizes: boolean }, control: Control): Promise<VolumeInfo>
  /** @throws conflict while the live release mounts it or a process holds it; busy */
  deleteVolume(app: string, volume: string, actor: string, control: Control): Promise<void>

  appLogs(app: string, query: Omit<LogQuery, 'app'>, control: Control): AsyncIterable<LogLine>
}

export interface PruneOptions {
  /** The cache of builds too. */
  buildCache: boolean
  /** The data of apps that are no more, too. */
  volumes: boolean
}

export interface RackInfo {
  name: string
  status: 'running' | 'updating' | 'converging'
  version: string
  domain: string
  /** The base address at which apps are reached, e.g. `http://localhost:8080`. */
  http: string
  daemon: { pid: number }
  router: { pid: number | null }
  engine: { name: string; version: string }
  capacity: Capacity
  apps: number
}

export interface AppInfo extends App {
  /** Of the live release: addresses at which the router serves it. */
  endpoints: { process: string; url: string }[]
  formation: Record<string, Formation>
  /** The change that runs now. */
  operation: Operation | null
}

export interface BuildUpload {
  /** A tar: `manifest/index.json`, `manifest/files/<path>…` and `manifest/dotenv`, then `source/<path>…`. */
  content: AsyncIterable<Uint8Array>
  description: string | null
  noCache: boolean
}

export interface BuildResult {
  build: string
  release: string
}

export interface ReleaseInfo extends Release {
  live: boolean
}

/** What a promote would do, before anything is touched. */
export interface Promotion {
  /** Values are masked. */
  plan: Plan
  admission: Admission
  /** Types whose copies are replaced, and those that keep theirs. */
  replaced: string[]
  kept: string[]
  /** Live types that are not in the plan. */
  removed: string[]
  /** Required variables without a value, by type. */
  missing: Record<string, string[]>
}

export interface PromoteResult {
  app: string
  release: string
  receipt: Receipt
  endpoints: { process: string; url: string }[]
}

export interface NameChanges {
  added: string[]
  changed: string[]
  removed: string[]
}

export interface ReleaseDiff {
  from: string
  to: string
  environment: NameChanges
  processes: ProcessChange[]
  /** Types whose copies a promote of `to` over `from` would replace. */
  restarts: string[]
  /** The most that the roll would need beside what runs. */
  surge: { cpuUnits: number; memoryBytes: number }
}

export interface ProcessChange {
  type: string
  change: 'added' | 'removed' | 'changed'
  /** `image`, `command`, `ports`, `limits`, `links`, …: with both values where they are no secrets. */
  fields: { name: string; from: string | null; to: string | null }[]
}

export interface OriginVariable {
  name: string
  value: string
  from: EnvironmentLayer
  shadows: EnvironmentLayer[]
}

export interface EnvironmentChange {
  set: Environment
  unset: string[]
  /** True takes `set` as the whole environment. */
  replace: boolean
}

export interface RunRequest {
  type: string
  /** Empty takes the type's own command. */
  command: string[]
  release: string | null
  timeoutMs: number | null
}

export interface VolumeInfo extends Volume {
  /** Process types of the live release that mount it. */
  usedBy: string[]
  /** True when its app was deleted. */
  leftOver: boolean
}

export type FormationChanges = Record<string, Partial<Formation>>
