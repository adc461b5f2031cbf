import type { BuildSpec } from './manifest.ts'
import type { BuiltImages } from './build.ts'
import type { Control } from './control.ts'
import type { Receipt } from './deployment.ts'
import type { Environment } from './environment.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import type { ExitCode, Process, ProcessFilter } from './process.ts'
import type { Capacity } from './rack.ts'
import type { ServiceAddress, ServiceSpec } from './service.ts'
import type { Terminal } from './terminal.ts'
import type { Volume, VolumeFilter } from './volume.ts'

/**
 * Runs plans. It knows nothing of releases' history, users, the store or the API. Every method throws
 * `engine-unavailable` when what it stands on does not answer, and rejects soon after `control.signal` ends.
 * `test/contract/engine.ts` states the behaviour; every engine passes it.
 */
export interface Engine {
  /** Instances, and cpu units and bytes in total, reserved and free. */
  capacity(control: Control): Promise<Capacity>
  /**
   * One image, by digest, per process type. Repeating it is safe. Logs are reported as they come.
   * @throws build-failed naming type and step; image-unavailable; disk-full; cancelled
   */
  build(request: BuildRequest, control: Control): Promise<BuiltImages>
  /**
   * Makes the plan the app's live version, dropping nothing, or changes nothing. Idempotent and convergent: called
   * again after a crash with the same plan it finishes the work, with the previous plan it undoes it. When it rejects,
   * what served before still serves, and what it had started is gone.
   * @throws deploy-failed with `details: CopyFailure[]`; port-taken; disk-full; cancelled
   */
  deploy(plan: Plan, control: Control): Promise<Receipt>
  /** Removes all processes, routes and networks of the app; its volumes too when `volumes`. Safe to repeat. */
  remove(app: string, options: { volumes: boolean }, control: Control): Promise<void>
  processes(filter: ProcessFilter, control: Control): Promise<Process[]>
  /**
   * Starts one process outside the formation; settles when it runs. `exit` settles when it has ended and its log is
   * kept. With a terminal, the end of `control.signal` ends the process.
   */
  run(oneOff: OneOff, terminal: Terminal | null, control: Control): Promise<RunningOneOff>
  /**
   * Runs a command inside a process; the end of `control.signal` (a lost client) ends the command.
   * @throws not-found; conflict when the process does not run
   */
  exec(process: string, command: string[], terminal: Terminal, control: Control): Promise<ExitCode>
  /** Stops a copy as its plan says; one of a type is replaced, a one-off is not. @throws not-found */
  stop(process: string, control: Control): Promise<void>
  /** A tar stream into (`archive` is read) or out of (`archive` is written) a directory of a process. */
  copy(
    process: string,
    path: string,
    archive: { in: AsyncIterable<Uint8Array> } | { out: (chunk: Uint8Array) => Promise<void> },
    control: Control,
  ): Promise<void>
  /** Lines in time order per process; with `follow`, until the signal ends. */
  logs(query: LogQuery, control: Control): AsyncIterable<LogLine>
  provision(service: ServiceSpec, control: Control): Promise<ServiceAddress>
  deprovision(service: string, control: Control): Promise<void>
  /** A byte stream to host:port inside the app's network. */
  connect(address: { app: string; host: string; port: number }, control: Control): Promise<Duplex>
  /** The volumes that the filter picks, by app and name; those of apps that are no more too. */
  volumes(filter: VolumeFilter, control: Control): Promise<Volume[]>
  /**
   * Removes a volume and what lies in it; of an app that is no more too.
   * @throws not-found; conflict naming what has it
   */
  removeVolume(app: string, name: string, control: Control): Promise<void>
  /** Removes images and leftovers that nothing in `keep` names, and what a crash left half made. */
  sweep(keep: Keep, control: Control): Promise<Swept>
}

export interface BuildRequest {
  app: string
  build: string
  images: ImageRequest[]
  /** A fresh tar stream of the source directory each time it is called. */
  source(): AsyncIterable<Uint8Array>
  /** Gives a bare `ARG` its value. */
  environment: Environment
  noCache: boolean
}

/** One image to make; process types that share it are listed together. */
export interface ImageRequest {
  processes: string[]
  build: BuildSpec | null
  /** What to pull when `build` is null. */
  image: string | null
}

/** A process outside the formation, from the plan of its type. */
export interface OneOff {
  app: string
  release: string
  /** The type's plan; count, ports and aliases do not apply. */
  process: ProcessPlan
  /** Replaces the type's command. */
  command: string[]
  kind: 'one-off' | 'timer' | 'release-command'
  /** Ended when it runs longer; null runs without limit. */
  timeoutMs: number | null
}

export interface RunningOneOff {
  process: Process
  exit: Promise<ExitCode>
}

export interface LogQuery {
  app: string
  types?: string[]
  process?: string
  /** RFC 3339. */
  since?: string
  /** The newest N lines only. */
  tail?: number
  follow: boolean
}

export interface LogLine {
  /** RFC 3339 UTC with as many fractional digits as the engine has. */
  time: string
  app: string
  type: string
  process: string
  release: string
  stream: 'stdout' | 'stderr'
  text: string
}

/** What a sweep must leave. */
export interface Keep {
  apps: string[]
  /** Image digests. */
  images: string[]
  /** True also drops the cache of builds. */
  buildCache: boolean
  /** True also drops the volumes of apps that `apps` does not name. */
  volumes: boolean
}

export interface Swept {
  images: number
  containers: number
  networks: number
  volumes: number
  bytes: number
}

/** A byte stream in both directions. */
export interface Duplex {
  input(chunk: Uint8Array): Promise<void>
  end(): void
  output: AsyncIterable<Uint8Array>
  close(): void
}
