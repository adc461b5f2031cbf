import type { CertificateSource } from '../domain/certificate.ts'
import type { ChallengeSource } from '../domain/certificate-order.ts'
import type { Control } from '../domain/control.ts'
import type { DomainSource } from '../domain/domain-name.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import type { RackError } from '../domain/error.ts'
import type { RouterLoad } from '../domain/router-load.ts'
import type { ShareEntrance } from '../domain/share.ts'
import type { ApiRoute } from './api-route.ts'
import type { ServedTraffic } from '../domain/traffic.ts'
import type { AppCounters } from './counters.ts'
import type { AppRoutes, Way } from './route-table.ts'
import type { RouterPatience } from './shares.ts'

export interface RouterOptions {
  /** Its own directory, made when missing; absolute, and short, since sockets lie in it. */
  directory: string
  /** The address on which HTTP is served, such as `0.0.0.0`. */
  httpBind: string
  httpPort: number
  /** Names of somebody's own, as they are now; none when absent. */
  domains?: DomainSource
  /** Where http is served by TLS too, what is shown there, and what authorities are answered; nowhere when absent. */
  https?: { port: number; certificates: CertificateSource; challenges?: ChallengeSource }
  /** Under which name the rack's own API is served by TLS; not at all when absent. */
  api?: ApiRoute
  /** `haproxy` when absent. */
  program?: string
  /** The user and group that serve, when root starts it; `haproxy` when absent and the system has them. */
  runAs?: { user: string; group: string }
  /** How long connections may stay with a worker that a reload replaced; 6 hours when absent. */
  hardStopAfterMs?: number
  /** Addresses and networks (`10.0.0.0/8`) of proxies in front, whose `X-Forwarded-*` are believed; none when absent. */
  trustedProxies?: readonly string[]
  /** From outside at once, of all apps; what the limit of open files allows, at most 20,000, when absent. */
  connections?: number
  /** How long what makes no progress may last, where that is not the usual. */
  patience?: Partial<RouterPatience>
}

export interface RouterStatus {
  isRunning: boolean
  /** The master's process id. */
  pid: number | null
  /** Since the serving worker started. */
  uptimeSeconds: number | null
  version: string | null
  httpBind: string
  httpPort: number
  /** Of the worker that serves; null while none does. */
  load: RouterLoad | null
}

/** What passed between the start and the end of a measurement. */
export interface Measurement extends AppCounters {
  /**
   * No request waited longer for its first byte: the sum of the longest waits in the queue, for a connection and for
   * the answer's head.
   */
  longestStallMs: number
}

export interface RunningMeasurement {
  end(control: Control): Promise<Measurement>
}

export interface Retirement {
  /** The key of its owner. */
  app: string
  /** Process ids. */
  processes: readonly string[]
  /** How long their connections may last. */
  deadlineMs: number
  /** True where others will come: requests wait for them, until the next routes of the app say otherwise. */
  isReplaced?: boolean
}

/**
 * The one way in from outside: HTTP by host name and TCP by port, to the healthy copies of every app. An app, or a
 * service, is called by the key of its owner.
 */
export interface Router {
  /** Adopts the HAProxy that runs, or starts one from the table on disk, and brings it to that table. */
  start(control: Control): Promise<void>
  /**
   * Makes these the routes of an app, or takes its routes away. When it settles the table is on disk and HAProxy
   * serves it, every new copy being up. Copies that are not in it any more get no new request. Safe to repeat, and
   * after a crash at any point.
   *
   * @throws invalid, conflict or port-taken before anything changed
   * @throws host-failed when HAProxy could not be brought to the table
   */
  apply(app: string, routes: AppRoutes | null, control: Control): Promise<void>
  /**
   * Lets other racks come in there, or nowhere. Certificates that were taken back come in no more when it settles. Safe
   * to repeat.
   * @throws invalid or port-taken before anything changed; host-failed
   */
  admit(entrance: ShareEntrance | null, control: Control): Promise<void>
  /**
   * Makes these the ways of an app's processes to services of other racks; connections by others of its ways are cut.
   * Safe to repeat.
   * @throws invalid or port-taken before anything changed; host-failed
   */
  lead(owner: string, ways: readonly Way[], control: Control): Promise<void>
  /** The ways of an owner, as they are on disk. */
  waysOf(owner: string): Promise<Way[]>
  /** What keeps these routes from being applied, as far as it is known with nothing touched. */
  obstacles(routes: AppRoutes, control: Control): Promise<RackError[]>
  /** As `apply`, for all apps at once: those that are not given lose their routes. One reload at most. */
  replace(apps: readonly AppRoutes[], control: Control): Promise<void>
  /**
   * Takes copies out: no new request, wait until their connections ended, cut what is left at the deadline, delete.
   * Safe to repeat. Other changes go on meanwhile.
   */
  retire(retirement: Retirement, control: Control): Promise<{ cutConnections: number }>
  /**
   * Sets copies of an app aside: they get no new request while another one can take it, until they are not among those
   * that are named.
   */
  rest(app: string, processes: ReadonlySet<string>, control: Control): Promise<void>
  /** Copies that the checks of the router find down, by the app that they are of. */
  down(control: Control): Promise<Map<string, Set<string>>>
  /** What the app has served so far, by workers that a reload replaced too. */
  counters(app: string, control: Control): Promise<AppCounters>
  /** The same of several, with how fast they answer. */
  traffic(apps: readonly string[], control: Control): Promise<Record<string, ServedTraffic>>
  /** Counts from now on until its end. */
  measure(app: string, control: Control): Promise<RunningMeasurement>
  /** Revives a dead router from the table on disk, and finishes what was left unfinished; to be called often. */
  ensureRunning(control: Control): Promise<{ isRevived: boolean }>
  status(control: Control): Promise<RouterStatus>
  /** TCP ports, but that of http, that another program holds; they are served as soon as they are free. */
  unservedPorts(): Promise<UnservedPort[]>
  /** The routes of every app, as they are on disk. */
  routes(): Promise<AppRoutes[]>
  /** Ends HAProxy and its connections; the table stays on disk. */
  stop(control: Control): Promise<void>
}
