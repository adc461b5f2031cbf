import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { AppCounters } from './counters.ts'
import { createHaproxyProcess } from './haproxy-process.ts'
import { HaproxyRouter } from './haproxy-router.ts'
import { createRouteFiles } from './route-files.ts'
import type { AppRoutes } from './route-table.ts'
import { RunningRouter } from './running-router.ts'
import { createRuntimeApi } from './runtime-api.ts'

export interface RouterOptions {
  /** Its own directory, made when missing; absolute, and short, since sockets lie in it. */
  directory: string
  /** The address on which HTTP is served, such as `0.0.0.0`. */
  httpBind: string
  httpPort: number
  /** `haproxy` when absent. */
  program?: string
  /** The user and group that serve, when root starts it; `haproxy` when absent and the system has them. */
  runAs?: { user: string; group: string }
  /** How long connections may stay with a worker that a reload replaced; 6 hours when absent. */
  hardStopAfterMs?: number
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
  /** TCP ports of apps that another program holds, so that they are not served. */
  blockedPorts: readonly number[]
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
  app: string
  /** Process ids. */
  processes: readonly string[]
  /** How long their connections may last. */
  deadlineMs: number
}

/** The one way in from outside: HTTP by host name and TCP by port, to the healthy copies of every app. */
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
  /** As `apply`, for all apps at once: those that are not given lose their routes. One reload at most. */
  replace(apps: readonly AppRoutes[], control: Control): Promise<void>
  /**
   * Takes copies out: no new request, wait until their connections ended, cut what is left at the deadline, delete.
   * Safe to repeat. Other changes go on meanwhile.
   */
  retire(retirement: Retirement, control: Control): Promise<{ cutConnections: number }>
  /** What the app has served so far; the last connections of a worker that a reload replaced may be missing. */
  counters(app: string, control: Control): Promise<AppCounters>
  /** Counts from now on until its end. */
  measure(app: string, control: Control): Promise<RunningMeasurement>
  /** Revives a dead router from the table on disk, and finishes what was left unfinished; to be called often. */
  ensureRunning(control: Control): Promise<{ isRevived: boolean }>
  status(control: Control): Promise<RouterStatus>
  /** The routes of every app, as they are on disk. */
  routes(): Promise<AppRoutes[]>
  /** Ends HAProxy and its connections; the table stays on disk. */
  stop(control: Control): Promise<void>
}

/**
 * The router of one directory; one object per directory at a time may change it.
 *
 * @throws invalid for a directory in which sockets cannot lie
 */
export function createRouter(options: RouterOptions): Router {
  const { directory, program = 'haproxy', runAs, hardStopAfterMs = 6 * 3_600_000 } = options
  checkDirectory(directory)
  const runtime = createRuntimeApi(directory)
  const haproxy = createHaproxyProcess({ directory, program, runtime })
  const files = createRouteFiles({
    directory,
    runAs,
    hardStopAfterMs,
    check: (path, control) => haproxy.check(path, control),
  })
  return new HaproxyRouter({ options, runtime, haproxy, running: new RunningRouter(runtime), files })
}

function checkDirectory(directory: string): void {
  // The socket's temporary name is a little longer than its own, and the system allows 107 bytes.
  if (/^\/[\w@%+=:.,/-]*$/.test(directory) && directory.length <= 80) return
  throw new RackError('invalid', `the router cannot live in ${directory}`, {
    hint: 'Choose a directory of at most 80 plain characters, without spaces: --dir DIRECTORY',
  })
}
