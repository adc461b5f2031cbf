import type { Caller } from '../domain/caller.ts'
import type { Control } from '../domain/control.ts'
import type { NameState } from '../domain/name-state.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import type { Objects } from '../domain/objects.ts'
import type { Engine } from '../domain/engine.ts'
import type { PolicyKeeper } from '../domain/policy.ts'
import type { RouterLoad } from '../domain/router-load.ts'
import type { ServedTraffic } from '../domain/traffic.ts'
import type { Store } from '../domain/store.ts'
import type { AdmissionControl } from './admission-control.ts'
import type { BuildLogs } from './build-logs.ts'
import type { OrderKeeper } from './acme/order-keeper.ts'
import type { CertificateKeeper } from './certificates/certificate-keeper.ts'
import type { DomainKeeper } from './domains/domain-keeper.ts'
import type { FirstMinutes } from './healing/first-minutes.ts'
import type { HealthBoard } from './healing/health-board.ts'
import type { ImageGate } from './image-gate.ts'
import type { AppTurns } from './journal/app-turns.ts'
import type { RecoveryProgress } from './journal/recovery-progress.ts'
import type { TakeInProgress } from './rack-backup/take-in-progress.ts'
import type { RunningOperations } from './journal/running-operations.ts'
import type { TokenKeeper } from './tokens/token-keeper.ts'

/** What every verb works with; made once by `createOperations`, and laid over with its caller by the door. */
export interface Context {
  rack: RackSettings
  /** Who asks; the rack itself for what it does by itself. */
  caller: Caller
  tokens: TokenKeeper
  store: Store
  engine: Engine
  objects: Objects
  policy: PolicyKeeper
  running: RunningOperations
  recovery: RecoveryProgress
  takingIn: TakeInProgress
  health: HealthBoard
  firstMinutes: FirstMinutes
  /** Services whose logins no cloud is asked to revoke before a time, milliseconds, since it has failed to. */
  resting: Map<string, number>
  turns: AppTurns
  admission: AdmissionControl
  images: ImageGate
  certificates: CertificateKeeper
  orders: OrderKeeper
  domains: DomainKeeper
  buildLogs: BuildLogs
  host: Host
  now(): Date
  /** The daemon's own log; never given a secret. */
  log(level: 'info' | 'warn' | 'error', message: string, facts?: Record<string, unknown>): void
}

export interface RackSettings {
  name: string
  version: string
  domain: string
  /** How many graphics processors its machine has. */
  gpus: number
  /** How many of an app's newest releases keep their images. */
  keepReleases: number
  /** The largest upload of a source, bytes. */
  maxSourceBytes: number
}

/** The machine that the daemon itself runs on, and what answers for apps. */
export interface Host {
  describe(): Promise<HostInfo>
  /** How the rack was installed, as JSON has it; no secret is in it. @throws unsupported where a backup of it is not put back */
  configuration(): object
  /** Of all apps. */
  unservedPorts(): Promise<UnservedPort[]>
  /** What each of these apps has served. Empty while the router is down. */
  traffic(apps: readonly string[], control: Control): Promise<Record<string, ServedTraffic>>
  disk(): Promise<DiskUse>
  /** Brings the router to the certificates and domains that there are now; where it does not run, it has them when it starts. */
  updateRouter(control: Control): Promise<void>
  /** Why no certificates are shown that somebody brings, or that are had of an authority; null where they are. */
  withoutCertificates: { why: string; instead: string } | null
  /** What has become of certificates that an account has for names, as it was found last; none where there is no account. */
  nameStates(): readonly NameState[]
  /** The host of an account's load balancer that leads to an app; null where there is none, and while it is not known. */
  balancerOf(app: string): string | null
  /** Whether http is served by TLS too. */
  servesTls: boolean
  /** Names that the rack has given itself and what it serves: where its API is, then the first of each process, then the rest. */
  names(): Promise<string[]>
  /** Puts records into the DNS by somebody's program; null where the rack has none. */
  dnsHook: DnsHook | null
}

/**
 * Makes a TXT record, or takes it away; settles when that is seen. Safe to repeat.
 * @throws host-failed with what the program has said
 */
export type DnsHook = (
  step: 'present' | 'cleanup',
  record: { name: string; value: string },
  control: Control,
) => Promise<void>

export interface DiskUse {
  totalBytes: number
  freeBytes: number
  /** Null for a database that is elsewhere. */
  storeBytes: number | null
}

export interface HostInfo {
  /** The base address at which apps are reached, e.g. `http://localhost:8080`. */
  http: string
  /** The same for those who come by TLS; null where the rack serves none. */
  https: string | null
  daemon: { pid: number }
  router: { pid: number | null; load: RouterLoad | null }
}
