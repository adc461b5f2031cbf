import type { App, AppStatus } from './app.ts'
import type { HistoryRow, Life } from './app-archive.ts'
import type { AuditEntry, AuditNote, AuditOutcome, AuditProof, AuditQuery } from './audit.ts'
import type { Build, BuildContent } from './build.ts'
import type { Control } from './control.ts'
import type { Receipt } from './deployment.ts'
import type { Environment } from './environment.ts'
import type { RackEvent } from './event.ts'
import type { Formation } from './manifest.ts'
import type { Operation, OperationIntent, OperationKind } from './operation.ts'
import type { Policy } from './policy.ts'
import type { AppProcess } from './process.ts'
import type { Ends, ProcessNews, Sighting } from './process-news.ts'
import type { KeptCertificate } from './certificate.ts'
import type { AcmeAccount, KeptOrder } from './certificate-order.ts'
import type { Domain } from './domain-name.ts'
import type { Registry, RegistryLogin } from './registry.ts'
import type { Release, ReleaseDraft, ReleaseHistory } from './release.ts'
import type { LinkAddress } from './link.ts'
import type { AppLink, LinkLogin, Service, ServiceRun, ServiceStatus, ServiceVersion } from './service.ts'
import type { KeptShare, Share, ShareKeys } from './share.ts'
import type { NoticedPort } from './noticed-port.ts'
import type { LiveTimer, TimerKey, TimerRun, Turn } from './timer.ts'
import type { Token } from './token.ts'

/**
 * Everything a rack must not forget. A method that settles has made its change durable: it survives SIGKILL. Every
 * method throws `store-failed` when the database does not answer. `test/contract/store.ts` runs on every database.
 */
export interface Store {
  apps: AppStore
  builds: BuildStore
  releases: ReleaseStore
  operations: OperationStore
  events: EventStore
  formations: FormationStore
  tokens: TokenStore
  audit: AuditStore
  endings: EndingStore
  timers: TimerStore
  noticedPorts: NoticedPortStore
  processes: ProcessStore
  parameters: ParameterStore
  imports: ImportStore
  registries: RegistryStore
  certificates: CertificateStore
  acme: AcmeStore
  domains: DomainStore
  policies: PolicyStore
  services: ServiceStore
  shares: ShareStore
  sealing: Sealing
  /** Seals for whoever holds another key: what leaves the machine. @param key 32 bytes */
  sealingWith(key: Uint8Array): Sealing
  /**
   * All that the store is made of, as files beside the directory of objects, by their paths: a copy of one moment, although
   * others write meanwhile, and the rack's keys.
   * @throws unsupported for a store in a database of its own, before the first
   */
  files(control: Control): AsyncIterable<StoreFile>
  /**
   * Makes this the one daemon that works on the store, until the lease is disposed or the process has ended, however.
   * @throws conflict while another leads
   */
  lead(control: Control): Promise<Lease>
  close(): Promise<void>
}

/** Read to its end before the next is asked for. */
export interface StoreFile {
  /** From the rack's directory: `rack.key`, `store/store.sqlite`. */
  path: string
  content: AsyncIterable<Uint8Array>
}

export interface Lease extends AsyncDisposable {
  /** Aborts when another may lead: from then on nothing may be changed. */
  lost: AbortSignal
}

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
   * Closes a promote, scale, restart or stop that the engine has finished: live release, formation and receipt change in
   * one transaction, and the app is `running`. A build or a run leaves the app as it is. Safe to repeat.
   * @throws not-found, also when the app was removed meanwhile; conflict when it was closed by `fail`
   */
  complete(id: string, result: OperationResult): Promise<void>
  /** Lays facts over the intent of a row that runs: how far its work has come. @throws not-found; conflict when it is closed */
  note(id: string, facts: Partial<OperationIntent>): Promise<void>
  /** Lays what came later over a complete row's receipt: counts, and what has crashed. @throws not-found, also when the app was removed */
  completeReceipt(id: string, facts: Partial<Receipt>): Promise<void>
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
  /** All that is known then of the app's raw ports. */
  noticed?: NoticedPort[]
  /** All that the live release has, seen to from a moment on. One that is as it was goes on from where it is. */
  timers?: LiveTimer[]
}

/**
 * What has changed of apps, releases, operations and processes: each event is written with its change, in one
 * transaction. The newest ten thousand are kept.
 */
export interface EventStore {
  /** The place of the newest; 0 when nothing has happened yet. */
  newest(): Promise<number>
  /** Oldest first. @throws gone when some of them are no longer kept, or the place is of another store */
  after(cursor: number, limit: number): Promise<RackEvent[]>
  /** Hears of what this store adds from now on, until disposed. */
  listen(): EventListener
}

export interface EventListener extends Disposable {
  heard: Promise<void>
}

export interface NoticedPortStore {
  /** What was found out of an app's raw ports; written with what becomes live, in one transaction. */
  get(app: string): Promise<NoticedPort[]>
}

export interface FormationStore {
  /** By process type; empty before the first promote. */
  get(app: string): Promise<Record<string, Formation>>
}

export interface TokenStore {
  /** Keeps a hash only; a hash that is known takes the new name, role, apps and end. */
  add(token: Omit<KeptToken, 'created' | 'lastUsed'>): Promise<void>
  /** By name. */
  list(): Promise<KeptToken[]>
  /** Says when it was used last. */
  noteUse(sha256: string, time: string): Promise<void>
  /** Safe to repeat. */
  remove(sha256: string): Promise<void>
}

export interface KeptToken extends Token {
  /** Of the token itself, in hexadecimal. */
  sha256: string
}

export interface AuditStore {
  /** Adds an entry without an outcome, and forgets the oldest of very many; gives its id. */
  begin(note: AuditNote): Promise<number>
  /** Safe to repeat; one that was forgotten is no fault. */
  end(id: number, outcome: AuditOutcome): Promise<void>
  /** Newest first; by their places with `after`. */
  list(query: AuditQuery): Promise<AuditEntry[]>
  /** Whether all that is kept is as it was written. */
  verify(): Promise<AuditProof>
}

/** What became of processes that ran once: it is known longer than an engine knows them. */
export interface EndingStore {
  /**
   * All but the command, which may hold a secret; its event is that it is removed, and the run that it was, if it was one,
   * is complete with its exit code, that of a timer too. Safe to repeat; that of an app that is gone is no fault.
   */
  add(running: AppProcess, operation?: string): Promise<void>
  get(app: string, processId: string): Promise<AppProcess | null>
  /** The newest five hundred of each kind, oldest first. */
  list(app: string): Promise<AppProcess[]>
}

/** The timers of what is live, which change with it, and what becomes of their runs: of each the newest hundred. */
export interface TimerStore {
  /** Of all apps, by app, process and name. */
  list(): Promise<LiveTimer[]>
  /**
   * Adds a run, and says up to when all times have been seen to, in one transaction; null for a timer that is no more,
   * or of which another has seen to that time.
   */
  fire(timer: LiveTimer, run: NewTimerRun): Promise<TimerRun | null>
  /** Counts the times from another moment on. */
  moveSince(timer: LiveTimer, since: string): Promise<void>
  /** The runs that have not ended, of all apps, oldest first. */
  open(): Promise<TimerRun[]>
  /** Opens the journal row of a run that waits, as its next step; null when it waits no longer. */
  begin(run: TimerRun, intent: OperationIntent): Promise<Operation | null>
  /** Says which process a run is, or why it is being ended. */
  note(id: number, facts: { processId?: string; reason?: string }): Promise<void>
  /** Lets the run of a row wait again: its process never started. Safe to repeat. */
  putBack(operation: string): Promise<void>
  /** Ends a run that waits. Safe to repeat. */
  drop(id: number, status: 'failed' | 'skipped', reason: string): Promise<void>
  /** Newest first. */
  history(
    app: string,
    filter: Partial<Pick<TimerKey, 'process' | 'timer'>>,
    limit: number,
  ): Promise<TimerRun[]>
}

export interface NewTimerRun extends Turn {
  actor: string
  due: string
  missed: number
  /** Null for one that somebody asks for: no time has come. */
  seenTo: string | null
}

/** What was told last of each process that is there, so that a new daemon tells what has changed meanwhile. */
export interface ProcessStore {
  list(): Promise<Sighting[]>
  /**
   * Tells what has changed of the processes of an app. Safe to repeat: of one whose end is kept, or that was told to be
   * gone, nothing more is told; nor of an app that is gone. Ends that were not counted yet are, each once.
   */
  tell(app: string, news: ProcessNews[]): Promise<void>
  /** All that were counted of the processes of each type, also of those that are gone, as long as the app is there. */
  ends(): Promise<(Ends & { app: string; type: string })[]>
}

/** Seals what rests outside the store, with the store's own key; streams, of which no more than a piece is held. */
export interface Sealing {
  /** @param place says whose it is: kind, app, id */
  seal(content: AsyncIterable<Uint8Array>, place: string[]): AsyncIterable<Uint8Array>
  /** @throws store-failed for another key, another place, a changed byte or a missing end */
  open(sealed: AsyncIterable<Uint8Array>, place: string[]): AsyncIterable<Uint8Array>
}

/** The rack's policy and all that it was. */
export interface PolicyStore {
  /** What holds; null before `seed`. */
  newest(): Promise<PolicyRevision | null>
  /** Keeps the first; one that is kept already stands. @returns what holds */
  seed(policy: Policy, actor: string): Promise<PolicyRevision>
  /** Keeps what follows on a revision. @throws conflict when another has followed on it */
  replace(revision: number, policy: Policy, actor: string): Promise<PolicyRevision>
}

export interface PolicyRevision {
  /** Counted from 1. */
  revision: number
  policy: Policy
  /** Who wanted it: the name of the token, or `install`. */
  actor: string
  since: string
}

/** Certificates that were brought, and the rack's own authorities; keys are encrypted at rest. */
export interface CertificateStore {
  /** Newest first. */
  list(): Promise<KeptCertificate[]>
  add(certificate: Omit<KeptCertificate, 'since'>): Promise<void>
  /** False when there was none. */
  remove(id: string): Promise<boolean>
  /** The authority of a name: the first that was made stays. */
  authority(
    name: string,
    make: () => Promise<{ certificate: string; key: string }>,
  ): Promise<{ certificate: string; key: string }>
}

/** Accounts at authorities, and certificates that are being had of them; keys are encrypted at rest. */
export interface AcmeStore {
  /** Of the authority that is asked; null where none is. */
  asked(): Promise<AcmeAccount | null>
  /** That of a directory, whether it is asked or not. */
  account(directory: string): Promise<AcmeAccount | null>
  /** Keeps an account, and asks its authority and no other from then on. The key that is there stays. */
  ask(account: AcmeAccount): Promise<void>
  /** Asks none; accounts stay. Safe to repeat. */
  askNone(): Promise<void>
  /** By name. */
  orders(): Promise<KeptOrder[]>
  /** Replaces that of the same name. */
  keepOrder(order: KeptOrder): Promise<void>
  /** Safe to repeat. */
  removeOrder(name: string): Promise<void>
}

/** Domains of apps; those of an app go with it. */
export interface DomainStore {
  /** By name. */
  list(): Promise<Domain[]>
  /** The one of this name: what was there before, where something was. */
  add(domain: Omit<Domain, 'since'>): Promise<Domain>
  /** False when the app had none of that name. */
  remove(app: string, name: string): Promise<boolean>
}

/** Logins at registries of images; passwords are encrypted at rest. */
export interface RegistryStore {
  /** By host. */
  list(): Promise<Registry[]>
  /** The same, with their passwords. */
  logins(): Promise<RegistryLogin[]>
  /** Replaces that of the same host. */
  set(login: RegistryLogin): Promise<void>
  /** False when there was none. */
  remove(host: string): Promise<boolean>
}

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

export interface ParameterStore {
  get(name: string): Promise<string | null>
  set(name: string, value: string): Promise<void>
}
