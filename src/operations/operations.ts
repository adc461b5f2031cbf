import type { Admission } from '../domain/admission.ts'
import type { App } from '../domain/app.ts'
import type { Build, KeptSource } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import type { EarlyCrash, Receipt } from '../domain/deployment.ts'
import type { ToldDomain } from '../domain/domain-name.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import type { ErrorCode } from '../domain/error.ts'
import type { Archive, Duplex, EngineInfo, AppLogLine, LogQuery, Swept } from '../domain/engine.ts'
import type { Environment, EnvironmentLayer } from '../domain/environment.ts'
import type { WatchRecord } from '../domain/event.ts'
import type { Formation } from '../domain/manifest.ts'
import type { Operation } from '../domain/operation.ts'
import type { OfApp } from '../domain/owner.ts'
import type { Plan } from '../domain/plan.ts'
import type { Parameter } from '../domain/parameter.ts'
import type { Policy, PolicyChange } from '../domain/policy.ts'
import type { AppProcess, ExitCode, ProcessFilter } from '../domain/process.ts'
import type { Capacity, Told } from '../domain/rack.ts'
import type { Restoring } from '../domain/rack-backup.ts'
import type { Registry, RegistryLogin } from '../domain/registry.ts'
import type { Release } from '../domain/release.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Timer, TimerRun } from '../domain/timer.ts'
import type { PlannedTimer } from '../domain/timer-plan.ts'
import type { UnheardFormation } from '../domain/unheard-formation.ts'
import type { UnseenVariable } from '../domain/unseen-variables.ts'
import type { VolumeOperations } from './volume-data/volume-operations.ts'
import type { MoveOperations } from './moves/move-operations.ts'
import type { RackBackupOperations } from './rack-backup/rack-backup-operations.ts'
import type { AuditOperations } from './audit-operations.ts'
import type { CertificateOperations } from './certificates/certificate-operations.ts'
import type { HostInfo } from './context.ts'
import type { MetricsOperations } from './metrics/metrics-operations.ts'
import type { PruneOptions } from './prune-options.ts'
import type { BackupOperations } from './services/backup/backup-operations.ts'
import type { DumpOperations } from './services/dumps/dump-operations.ts'
import type { LinkOperations } from './links/link-operations.ts'
import type { ServiceOperations } from './services/service-operations.ts'
import type { UpdateOperations } from './services/update/update-operations.ts'
import type { ToldLack } from './healing/health-board.ts'
import type { TokenOperations } from './tokens/token-operations.ts'

/**
 * The verbs of a rack, as one caller has them (`door.ts`): what the faces serve. Each is one file of this folder. All
 * throw `not-found` for an unknown app, build, release or process, and `forbidden` for what the caller may not do.
 */
export interface Operations
  extends
    AuditOperations,
    CertificateOperations,
    MetricsOperations,
    ServiceOperations,
    LinkOperations,
    UpdateOperations,
    BackupOperations,
    DumpOperations,
    VolumeOperations,
    RackBackupOperations,
    MoveOperations,
    TokenOperations {
  getRack(control: Control): Promise<RackInfo>
  getCapacity(control: Control): Promise<Told<Capacity>>
  /** What processes may have of the machine. */
  getPolicy(): Promise<Policy>
  /** Holds for the next build and promote; what runs goes on. @throws invalid; not-found for a path to deny */
  changePolicy(change: PolicyChange): Promise<Policy>
  listParameters(): Promise<Parameter[]>
  /** All of them or none. @throws invalid; not-found for a name that is none */
  changeParameters(values: Record<string, string>, control: Control): Promise<Parameter[]>
  /** At which registries the rack has a login. */
  listRegistries(): Promise<Registry[]>
  /** Keeps a login, once the registry has taken it. @throws invalid */
  addRegistry(login: RegistryLogin, control: Control): Promise<Registry>
  removeRegistry(host: string): Promise<void>
  /** Removes what retention no longer keeps, and what a crash has left. */
  prune(options: PruneOptions, control: Control): Promise<Swept>

  listApps(): Promise<AppSummary[]>
  getApp(app: string, control: Control): Promise<AppInfo>
  /** @throws exists; invalid */
  createApp(app: string): Promise<App>
  /** @throws locked; busy; conflict for an app that links a service, unless `unlink` */
  deleteApp(app: string, options: DeleteOptions, control: Control): Promise<void>
  setLocked(app: string, locked: boolean): Promise<App>
  /**
   * Ends the running change and settles when it has ended: what ran before runs again, or it is complete, where traffic
   * had moved already. @throws conflict when nothing runs
   */
  cancelApp(app: string, control: Control): Promise<Operation>

  /** What the next upload may leave out, by the hashes of its contents; of what the app itself has sent, and no other. */
  getKeptSource(app: string): Promise<KeptSource>
  /** @throws manifest-invalid with `details: Problem[]`; build-failed; too-large; disk-full; gone for a base that is no more */
  buildApp(app: string, upload: BuildUpload, control: Control): Promise<BuildResult>
  /**
   * Makes a build once more of the source that the rack keeps of it, in the newest environment.
   * @throws as `buildApp`; conflict for one that is not complete; gone when its source is not kept
   */
  rebuildApp(app: string, build: string, options: RebuildOptions, control: Control): Promise<BuildResult>
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
  getRelease(app: string, release: string): Promise<ReleaseDetails>
  /** The compose file's text. */
  releaseManifest(app: string, release: string): Promise<string>
  /** `from` defaults to the live release, or to what it replaced when it is the newest; `to` to the newest. */
  diffReleases(app: string, range: { from?: string; to?: string }): Promise<ReleaseDiff>
  planPromotion(app: string, release: string, control: Control): Promise<Promotion>
  /** @throws busy; capacity with `details: Admission`; environment-missing; deploy-failed; cancelled */
  promoteRelease(
    app: string,
    release: string,
    options: PromoteOptions,
    control: Control,
  ): Promise<PromoteResult>
  /** Makes a new release of the old one's build, environment and links, and promotes it. */
  rollbackRelease(
    app: string,
    release: string | null,
    options: PromoteOptions,
    control: Control,
  ): Promise<PromoteResult>

  /** The newest release's environment. */
  getEnvironment(app: string, release?: string): Promise<Environment>
  /** The final variables of one process type of the newest release, with their origin. */
  processEnvironment(app: string, type: string): Promise<OriginVariable[]>
  /** @throws invalid */
  changeEnvironment(app: string, change: EnvironmentChange): Promise<Release>
  /** Names only, never a value. */
  diffEnvironment(app: string, from: string, to: string): Promise<NameChanges>

  listProcesses(app: string, filter: Omit<ProcessFilter, 'owner'>, control: Control): Promise<AppProcess[]>
  getProcess(app: string, processId: string, control: Control): Promise<AppProcess>
  /** One of a type is replaced. @throws busy; capacity */
  stopProcess(app: string, processId: string, control: Control): Promise<void>
  /** @throws capacity; not-found for an unknown type */
  runProcess(app: string, run: RunRequest, terminal: Terminal | null, control: Control): Promise<StartedRun>
  execProcess(
    app: string,
    exec: { process: string; command: string[] },
    terminal: Terminal,
    control: Control,
  ): Promise<ExitCode>

  /** A tar into a directory of a process, or out of it. @throws not-found; conflict; disk-full */
  copyFiles(app: string, copy: FileCopy, control: Control): Promise<void>
  /** @throws not-found for a host that is none of the app's processes; unreachable */
  connectInside(app: string, address: { host: string; port: number }, control: Control): Promise<Duplex>

  getFormation(app: string): Promise<Record<string, Formation>>
  planScale(app: string, changes: FormationChanges, control: Control): Promise<Promotion>
  scaleProcesses(app: string, changes: FormationChanges, control: Control): Promise<PromoteResult>
  /** Replaces the copies of one type or all, dropping nothing. */
  restartApp(app: string, type: string | null, control: Control): Promise<PromoteResult>

  /** Of one app or of all. */
  listDomains(filter: { app?: string | undefined }): Promise<ToldDomain[]>
  /**
   * Served at once where the app is; makes no release. @throws invalid; conflict, which names the holder; not-found for
   * a process that serves no HTTP
   */
  addDomain(
    app: string,
    domain: { name: string; process: string | null },
    control: Control,
  ): Promise<ToldDomain>
  removeDomain(app: string, domain: string, control: Control): Promise<void>

  /** The timers of what is live. */
  listTimers(app: string): Promise<TimerInfo[]>
  /** @param timer its name, or `type.name` where several types have one of that name */
  getTimer(app: string, timer: string): Promise<TimerInfo>
  /** Runs it now, under its own rule. @throws conflict when one that is not over keeps it from running */
  runTimer(app: string, timer: string, control: Control): Promise<TimerRun>
  /** Newest first; of all timers, those of earlier releases too, unless one is named. */
  timerHistory(app: string, query: { timer?: string; limit: number }): Promise<TimerRun[]>

  appLogs(app: string, query: Omit<LogQuery, 'owner'>, control: Control): AsyncIterable<AppLogLine>
  /** Of all apps. */
  rackLogs(query: Omit<LogQuery, 'owner'>, control: Control): AsyncIterable<AppLogLine>

  /** What changes of the rack, after a place in the sequence or from now on, until the signal ends. @throws gone */
  watchEvents(after: number | null, control: Control): AsyncIterable<WatchRecord>
}

export interface DeleteOptions {
  volumes: boolean
  /** True deletes the app's links with it. */
  unlink?: boolean
}

export interface PromoteOptions {
  /** False runs no release command, for who knows that there is nothing to do. */
  releaseCommand: boolean
}

export interface RackInfo extends HostInfo {
  name: string
  status: 'running' | 'updating' | 'converging'
  version: string
  domain: string
  engine: EngineInfo
  capacity: Told<Capacity>
  apps: number
  /** While it is converging: apps whose live release has not been brought back yet. */
  comingBack: string[]
  /** Apps that run and lack copies. */
  degraded: string[]
  unservedPorts: UnservedPort[]
  /** What of a backup is still to be taken in; null for a caller of some apps. */
  restoring: Restoring | null
}

export interface AppSummary extends Omit<App, 'status'> {
  /** `degraded`: it runs, and lacks copies. */
  status: App['status'] | 'degraded'
  /** By type. */
  lacks: ToldLack[]
  /** Its ports that another program has taken. */
  unservedPorts: UnservedPort[]
}

export interface AppInfo extends AppSummary {
  /** Of the live release: addresses at which the router serves it. */
  endpoints: { process: string; url: string }[]
  formation: Record<string, Formation>
  /** The change that runs now. */
  operation: Operation | null
  /** The newest change that went through, with its receipt. */
  changed: Operation | null
  /** When the rack has brought back copies by itself the last time. */
  healed: Operation | null
}

export interface BuildUpload {
  /**
   * A tar: `manifest/index.json`, `manifest/files/<path>…` and `manifest/dotenv`, with `base` then `unchanged.json`, then
   * `source/<path>…`.
   */
  content: AsyncIterable<Uint8Array>
  /** The kept source from which the files that `unchanged.json` lists are taken; without it all of them are sent. */
  base?: string | undefined
  description: string | null
  noCache: boolean
  /** Creates the app when it is not there. */
  create?: boolean
}

export type RebuildOptions = Pick<BuildUpload, 'description' | 'noCache'>

export interface BuildResult {
  build: string
  release: string
}

export interface ReleaseInfo extends Release {
  live: boolean
  /** Copies that crashed in the first minute of its last promote. */
  crashed: EarlyCrash[]
}

export interface ReleaseDetails extends ReleaseInfo {
  /** Of its newest promote; its counts come when the last old copy has gone. */
  receipt: Receipt | null
}

/** What a promote would do, before anything is touched. */
export interface Promotion {
  /** Values are masked. */
  plan: OfApp<Plan>
  admission: Told<Admission>
  /** Types whose copies are replaced, and those that keep theirs. */
  replaced: string[]
  /** By type that is replaced: what differs, such as `variable GREETING` or `image`. */
  reasons: Record<string, string[]>
  kept: string[]
  /** Those of the replaced that stop before their successors start: none of their copies serves for a while. */
  stopped: string[]
  /** Live types that are not in the plan. */
  removed: string[]
  /** Required variables without a value, by type. */
  missing: Record<string, string[]>
  /** What else refuses it: ports and names that others have, images that are gone. */
  obstacles: { code: ErrorCode; message: string; hint: string | null }[]
  /** What it would have made for all of the rack, that stays and costs: a sentence each. */
  additions: string[]
  /** `fits` says whether a run would find room now, beside all that the plan runs. */
  timers: (PlannedTimer & { fits: boolean })[]
}

export interface PromoteResult {
  app: string
  release: string
  receipt: Receipt
  endpoints: { process: string; url: string }[]
  timers: PlannedTimer[]
  /** Raw ports that speak HTTP: the next promote serves them by name too; absent where none does. */
  noticed?: { process: string; port: number; external: number; url: string | null }[]
}

export interface NameChanges {
  added: string[]
  changed: string[]
  removed: string[]
  /** Those among them that the build of the release reads: they have an effect with the next one. */
  atBuild: string[]
  /** Variables of the later environment that the rack sets itself, by the processes that never see theirs. */
  unseen: UnseenVariable[]
}

export interface ReleaseDiff {
  from: string
  to: string
  environment: NameChanges
  /** To services, by alias: which service there was, and which there is. */
  links: LinkChange[]
  processes: ProcessChange[]
  /** Types whose copies a promote of `to` over `from` would replace. */
  restarts: string[]
  /** The most that the roll would need beside what runs. */
  surge: { cpuUnits: number; memoryBytes: number }
  /** What the later file says anew and `rack scale` owns. */
  unheard: UnheardFormation[]
}

export interface LinkChange {
  alias: string
  from: string | null
  to: string | null
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

/** A one-off that runs; `exit` settles when it has ended. */
export interface StartedRun {
  process: AppProcess
  exit: Promise<ExitCode>
}

export interface RunRequest {
  type: string
  /** Empty takes the type's own command. */
  command: string[]
  release: string | null
  timeoutMs: number | null
}

export interface FileCopy {
  process: string
  /** Absolute; going out, `DIR/.` is what is in it. */
  path: string
  archive: Archive
}

export interface TimerInfo extends Timer {
  app: string
  process: string
  /** The times at which it runs next, soonest first. */
  next: string[]
  /** The newest run, whatever became of it. */
  last: TimerRun | null
}

/** What is not given stays; `fromFile` takes what the file of the live release says, below the rest. */
export type FormationChanges = Record<string, Partial<Formation> & { fromFile?: boolean | undefined }>
