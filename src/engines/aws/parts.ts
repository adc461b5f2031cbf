import type { AwsClients } from '../../aws/clients.ts'
import type { AwsPlaces, WebBalancer } from '../../domain/aws-places.ts'
import type { Counts } from '../../domain/deployment.ts'
import type { DomainSource } from '../../domain/domain-name.ts'
import type { Resources } from '../../domain/rack.ts'
import type { Process } from '../../domain/process.ts'
import type { Semaphore } from '../../lib/semaphore.ts'
import type { OwnImages, OwnLogin } from '../../aws/registry/own-images.ts'
import type { BuiltImages } from '../../domain/build.ts'
import type { Control } from '../../domain/control.ts'
import type { BuildRequest } from '../../domain/engine.ts'
import type { EndedTasks } from './look/ended-tasks.ts'
import type { TaskWatch } from './look/watch-tasks.ts'

/** How often something is asked, ms. */
export interface Intervals {
  /** Tasks, services. */
  tasks: number
  /** Whether names are known everywhere. */
  names: number
  /** Health of targets. */
  targets: number
  /** Stacks. */
  stacks: number
  /** How long an answer about a name may be kept. */
  nameLife: number
  /** How late what the balancers counted is known at the latest, their minute included. */
  metrics: number
  /** How long after it was printed a line can be read. */
  logs: number
  /** How long it rests before an account that did not answer is asked again. */
  away: number
  /** How long what was made just before may be unknown to what stands on it. */
  known: number
  /** How long ECS may make no task at all before its last word is the reason. */
  noTask: number
  /** How long a copy without a port and a check must run. */
  settle: number
}

/** As the account wants to be asked (aws.md 1.3, 1.9). */
export const usualIntervals: Intervals = {
  tasks: 1000,
  names: 2000,
  targets: 2000,
  stacks: 3000,
  nameLife: 5000,
  metrics: 240_000,
  logs: 5000,
  away: 30_000,
  known: 15_000,
  noTask: 60_000,
  settle: 2000,
}

/** Builds images beside the daemon, and puts them into a repository of the account's registry, by its login. */
export type OwnBuilder = (
  build: BuildRequest & { repository: string },
  login: OwnLogin,
  control: Control,
) => Promise<BuiltImages>

/** What a rack gives its engine in an account. */
export interface AwsEngineOptions {
  /** The rack's name: first part of every name, and a tag. */
  rack: string
  clients: AwsClients
  places: AwsPlaces
  /** What the rack may give to processes. */
  total: Resources
  /** Under which apps have their names. */
  domain: string
  /** Domains of apps as they are now; none when absent. */
  domains?: DomainSource
  randomBytes: (count: number) => Uint8Array
  /** Builds where the daemon runs, where the rack has no project of CodeBuild. */
  builder?: OwnBuilder
  intervals?: Partial<Intervals>
  /** Whose certificates servers show that the account runs, as PEM. @throws engine-unavailable */
  authorities: () => Promise<string>
  /** Addresses of a host of the account's network; as this machine finds them when absent. */
  lookup?: (host: string) => Promise<string[]>
  /** Keeps what became of a one-off and of its operation; durable when it settles. */
  onEnded?: (running: Process, operation: string) => Promise<void>
  /** Hears of failures in the background, which end no call. */
  onTrouble?: (error: unknown) => void
}

/** What the engine's rooms share. */
export interface AwsParts extends Omit<Required<AwsEngineOptions>, 'intervals' | 'builder'> {
  builder: OwnBuilder | null
  intervals: Intervals
  /** The account's registry. */
  images: OwnImages
  /** Asks about all tasks that somebody waits for in one call. */
  tasks: TaskWatch
  /** Names of services that were made, and may not be listed yet (listings lag). */
  madeServices: Set<string>
  /** ARNs of tasks that were started outside services, and may not be listed yet. */
  madeTasks: Set<string>
  /** Families of which task definitions are registered are slow: a few at a time. */
  registering: Semaphore
  /** What answers on ports of their own. */
  network: {
    /** Undefined before it was looked for; null where there is none. */
    balancer: AwsPlaces['networkBalancer'] | undefined
    /** One makes it at a time. */
    turn: Semaphore
  }
  /** What answers requests of the web. */
  web: {
    /** Made since the installation; undefined before they were looked for. */
    further: WebBalancer[] | undefined
    /** By owner, where visitors come in who are led to it, as it was seen last. */
    hosts: Map<string, string>
  }
  /** Rules of the balancers are one table for all apps: one change of it at a time. */
  routing: Semaphore
  /** Who opens ports has them led before another opens any: what is open on a port is for its own app alone. */
  opening: Semaphore
  /** Names of services whose copies have left, or leave behind everybody's back. */
  leavingServices: Set<string>
  /** Names of generations whose parts are being made, or wait for their start: nothing runs of them yet. */
  preparing: Set<string>
  /** By ARN of a certificate, its names. */
  certificateNames: Map<string, string[]>
  /** What the account lets run on Fargate at once; null before it was asked. */
  fargateCpuUnits: number | null
  /** Names of generations without service and task at the last sweep. */
  suspects: Set<string>
  /** By name: one change of a stack at a time. */
  stackTurns: Map<string, Semaphore>
  /** ARNs of one-offs whose end somebody waits for. */
  adopted: Set<string>
  /** ARNs of tasks that were told to end, and count no more. */
  endedTasks: EndedTasks
  /** What is still to be counted of deploys, by what their receipts name. */
  measurements: Map<string, Promise<Counts>>
  /** What goes on behind everybody's back; a failure of it is trouble. */
  behind: (work: (signal: AbortSignal) => Promise<void>) => void
  /** Ends when the engine is closed. */
  lifetime: AbortSignal
}
