import type { Surge } from './admission.ts'
import type { PullPolicy, BuildSpec } from './manifest.ts'
import type { BuiltImage, BuiltImages } from './build.ts'
import type { Control } from './control.ts'
import type { Counts, Receipt } from './deployment.ts'
import type { Domain } from './domain-name.ts'
import type { Endpoint } from './endpoint.ts'
import type { RackError } from './error.ts'
import type { Environment } from './environment.ts'
import type { EngineFeatures } from './features.ts'
import type { OfApp, Owner } from './owner.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import type { ExitCode, Process, ProcessFilter, Usage } from './process.ts'
import type { Capacity } from './rack.ts'
import type { RegistryLogin } from './registry.ts'
import type { ManagedService, ServiceAddress } from './service.ts'
import type { ShareEntrance } from './share.ts'
import type { Terminal } from './terminal.ts'
import type { Volume, VolumeFilter } from './volume.ts'

/**
 * Runs plans. It knows nothing of releases' history, users, the store or the API. Every method throws
 * `engine-unavailable` when what it stands on does not answer, and rejects soon after `control.signal` ends.
 * `test/contract/engine.ts` states the behaviour; every engine passes it.
 */
export interface Engine {
  /** What it can do; the compose reader, the command line and the contract suite go by it. */
  features: EngineFeatures
  /** What it runs on, for people. */
  about(control: Control): Promise<EngineInfo>
  /** The addresses at which a plan is reached once it is live. */
  endpoints(plan: Plan): Endpoint[]
  /** Instances, and cpu units and bytes in total, reserved and free. */
  capacity(control: Control): Promise<Capacity>
  /**
   * One image per process type. Repeating it is safe. Logs are reported as they come.
   * @throws build-failed naming type and step; image-unavailable; disk-full; cancelled
   */
  build(request: BuildRequest, control: Control): Promise<BuiltImages>
  /** Asks a registry whether it takes a login; keeps nothing. @throws invalid when it does not, or is none */
  tryLogin(login: RegistryLogin, control: Control): Promise<void>
  /**
   * What keeps a plan from being deployed, as far as it can be known with nothing touched: a port or a host name that
   * another has, an image that is gone.
   * @param starting types of which copies will be started
   */
  obstacles(plan: Plan, starting: ReadonlySet<string>, control: Control): Promise<RackError[]>
  /** Why processes of a plan cannot be reached by all their own names and these domains; asks nobody. */
  nameObstacles(plan: Plan, domains: readonly Domain[]): RackError[]
  /**
   * What a deploy of a plan would have made for all of the rack, that stays and costs: a sentence each. Nothing is
   * touched.
   */
  additions(plan: Plan, control: Control): Promise<string[]>
  /**
   * Makes the plan its owner's live version, dropping nothing, or changes nothing. Idempotent and convergent: called
   * again after a crash with the same plan it finishes the work, with the previous plan it undoes it. It settles when
   * traffic has moved: what served before drains behind it, and never blocks the next change. When it rejects, what
   * served before still serves, and what it had started is gone, unless `onHalfUndone` was called.
   * @throws deploy-failed with `details: CopyFailure[]`; port-taken; disk-full; cancelled
   */
  deploy(change: Change, control: Control): Promise<Receipt>
  /** The counts of a receipt that were not known when it was given; settles when nothing drains any more. */
  measure(measurement: string, control: Control): Promise<Counts>
  /** Removes all processes, routes and networks of an app or a service; its volumes too when `volumes`. Safe to repeat. */
  remove(owner: Owner, options: { volumes: boolean }, control: Control): Promise<void>
  processes(filter: ProcessFilter, control: Control): Promise<Process[]>
  /**
   * What processes take that run now, of one owner or of all: read, not measured over a time, so it may be asked every
   * second. One that ends meanwhile is left out.
   */
  usage(filter: Pick<ProcessFilter, 'owner'>, control: Control): Promise<Usage[]>
  /**
   * Names the owner whose processes may have changed, whenever it may be so, until the signal ends; null where it may
   * be any, as at the beginning. It says no more: whoever wants to know how they are now reads it.
   */
  watch(control: Control): AsyncIterable<Owner | null>
  /**
   * Starts one process outside the formation; settles when it runs. `exit` settles when it has ended and its log is
   * kept. With a terminal, the end of `control.signal` ends the process.
   */
  run(oneOff: OneOff, terminal: Terminal | null, control: Control): Promise<RunningOneOff>
  /**
   * Runs a command inside a process; the end of `control.signal` (a lost client) ends the command.
   * @throws not-found; conflict when the process does not run
   */
  exec(processId: string, command: string[], terminal: Terminal, control: Control): Promise<ExitCode>
  /** Stops a one-off as its plan says; a copy of a type leaves by `deploy`. @throws not-found; conflict for a copy */
  stop(oneOff: string, control: Control): Promise<void>
  /**
   * A tar stream into a directory of a process, which must be there, or out of it: a file or directory under its own
   * name, `DIR/.` what is in it. An archive that comes out is whole when this settles.
   * @throws not-found; conflict for a path that is no directory, and for a read-only file system; disk-full
   */
  copy(processId: string, path: string, archive: Archive, control: Control): Promise<void>
  /**
   * Lines in time order per process; with `follow`, until the signal ends. A slow reader is waited for; what could not
   * be kept is told by a line of its own. @throws invalid for a pattern or a cursor that is none
   */
  logs(query: LogQuery, control: Control): AsyncIterable<LogLine>
  /**
   * Has a service run by a cloud, and lets in who shall be; settles when it is so. Safe to repeat. What runs from an image
   * is deployed as a plan.
   * @throws unsupported for a kind that is none of the engine's `managedServices`
   * @throws conflict for one that is there and cannot be changed, or is there no more
   * @throws engine-failed with the detail `isUnchanged` where all is as it was before
   */
  provision(managed: ManagedService, control: Control): Promise<ServiceAddress>
  /**
   * Takes it away; safe to repeat, and no harm where there is none.
   * @returns what the cloud keeps of its data, by the cloud's name for it; null where there is nothing
   */
  deprovision(service: Pick<ManagedService, 'name' | 'identity'>, control: Control): Promise<string | null>
  /**
   * Has the cloud start the server of one anew, which ends its sessions; settles when the cloud has done it.
   * @throws unsupported for a kind that the engine has not restarted
   * @throws conflict for one that is there no more, or with which the cloud is busy
   */
  reboot(service: Pick<ManagedService, 'name' | 'kind'>, control: Control): Promise<void>
  /**
   * Lets other racks come in there, or nowhere, to what plans of services share with them. Safe to repeat.
   * @throws unsupported where the features say so; port-taken; host-failed
   */
  openEntrance(entrance: ShareEntrance | null, control: Control): Promise<void>
  /**
   * A byte stream to host:port inside an app or to a service, where host is a type, an alias or the id of one of its own
   * processes: nothing else can be reached.
   * @throws not-found for another host; unreachable when nothing listens
   */
  connect(address: { owner: Owner; host: string; port: number }, control: Control): Promise<Duplex>
  /** The volumes that the filter picks, by owner and name; those of owners that are no more too. */
  volumes(filter: VolumeFilter, control: Control): Promise<Volume[]>
  /**
   * Removes a volume and what lies in it; of an owner that is no more too.
   * @throws not-found; conflict naming what has it
   */
  removeVolume(owner: Owner, name: string, control: Control): Promise<void>
  /**
   * What lies in a volume as a tar, below `volume/`, with owners, modes and links as they are; or such a tar into one, which
   * is made where it is missing. No process is needed for it, and who has the volume goes on. What comes out is whole when
   * this settles; one that was made for what went in and does not get all of it is half filled.
   * @throws not-found for one that is to be read; invalid for what is no tar; disk-full
   */
  copyVolume(owner: Owner, name: string, archive: Archive, control: Control): Promise<void>
  /**
   * Images out, by their references, in the form of `docker save`, which every engine reads; whole when this settles. They
   * bring the names that this rack has given them where they are `named`: whoever loads them has them under these.
   * @throws image-unavailable for one that is gone
   */
  saveImages(
    saved: { references: string[]; named: boolean },
    out: (chunk: Uint8Array) => Promise<void>,
    control: Control,
  ): Promise<void>
  /**
   * Such images in, whichever engine has saved them; safe to repeat.
   * @returns what each of a stranger's is called here, by the reference that it had
   * @throws invalid for what is none, or has one of them not; unsupported for a machine of another kind; disk-full
   */
  loadImages(saved: SavedImages, control: Control): Promise<ReadonlyMap<string, string>>
  /**
   * What an image of elsewhere is called as one of an app here, where it is here already; a reference that leads nowhere
   * where it is not. Whatever a stranger says, it leads to no image of another owner that is not the same.
   */
  calledHere(app: string, image: NamedImage): string
  /** Those of the references whose image is here. */
  imagesHere(references: string[], control: Control): Promise<Set<string>>
  /** Has images as those of a build of an app, so that they stay. Safe to repeat. @throws image-unavailable */
  nameImages(of: { app: string; build: string; images: BuiltImages }, control: Control): Promise<void>
  /**
   * Has no image as one of the app any more; those that nobody has then are gone, and of `references` those too that came
   * without a name. Safe to repeat.
   */
  forgetImages(app: string, references: string[], control: Control): Promise<void>
  /** Removes images and leftovers that nothing in `keep` names, and what a crash left half made. */
  sweep(keep: Keep, control: Control): Promise<Swept>
}

/** An image as builds tell of it: how it is called, and what is in it. */
export type NamedImage = Pick<BuiltImage, 'reference' | 'digest'>

export interface SavedImages {
  /** A fresh stream of them each time that it is called. */
  open: () => AsyncIterable<Uint8Array>
  /**
   * Of a stranger, what is in it, and the app that gets it; null of the rack's own. Names that a stranger brings lead
   * nowhere, since they may be others', and what has one of these images not is refused.
   */
  of: { app: string; images: NamedImage[] } | null
}

/** What is to become of an app or a service. */
export interface Change {
  plan: Plan
  /** What is live, to go back to; the plan itself where it is live already; null before the first promote. */
  live: Plan | null
  /** Process ids of copies that go although the plan would keep them. */
  leaving: string[]
  releaseCommands: ReleaseCommands
  /** What was admitted, by type: no more copies run beside the old ones. As the percentages say where it is absent. */
  surges?: Record<string, Surge> | undefined
  /** Types that are brought about; copies of the others stay as they are found. All of them where it is absent. */
  only?: readonly string[] | undefined
  /** Hears, before it rejects, that not all of what served before could be brought back: to be deployed again. */
  onHalfUndone?: () => void
}

/** Which release commands of a plan have run: known to whoever keeps the journal, never to an engine. */
export interface ReleaseCommands {
  /** Types whose command is still to be run to its end. */
  due: string[]
  /** Those of them that were begun before: looked for, and never started a second time. */
  begun: string[]
  /** Durable when it settles: before a command starts, and when it has ended well. */
  note: (type: string, state: 'begun' | 'done') => Promise<void>
}

/** For every change but the promote of a release. */
export const noReleaseCommands: ReleaseCommands = { due: [], begun: [], note: async () => undefined }

export interface EngineInfo {
  name: string
  version: string
}

export interface BuildRequest {
  app: string
  build: string
  images: ImageRequest[]
  /** A fresh tar stream of the source directory each time it is called. */
  source(): AsyncIterable<Uint8Array>
  /** By which images are pulled and built on; none when absent. */
  logins?: RegistryLogin[]
  /** Gives a bare `ARG` its value. */
  environment: Environment
  noCache: boolean
  /** Once it has its turn. */
  deadlineMs: number
}

/** One image to make; process types that share it are listed together. */
export interface ImageRequest {
  processes: string[]
  build: BuildSpec | null
  /** What to pull; null when it is built. */
  image: string | null
  /** Whether its registry is asked; when absent it is, and an image that is here serves where it gives none. */
  pull?: PullPolicy
  /** Content of the source that lies over what is built or pulled, in the order in which it is laid. */
  laid?: LaidContent[]
  /** Volumes that stand for paths of the source: the image may not have a file where one is mounted. */
  folders?: Pick<LaidContent, 'path' | 'source'>[]
}

/** A file or folder of the source, with modes and links as they are, that an image holds at a path. */
export interface LaidContent {
  /** Absolute, in the image. */
  path: string
  /** From the source directory. */
  source: string
  holds: 'file' | 'folder'
  /** False hides what the image has at the path, as a bind mount does. */
  isOver: boolean
  /** `sha256:…` of names, modes, links and contents. */
  digest: string
  /** True for what only fills a new volume: it is not what the process runs. */
  isFilling: boolean
  /** A fresh stream of the entries of a tar at the path, without the end of a tar. */
  open(owner: FileOwner): AsyncIterable<Uint8Array>
}

/** Whom files belong to, by number. */
export interface FileOwner {
  uid: number
  gid: number
}

/** A process outside the formation, from the plan of its type. */
export interface OneOff {
  owner: Owner
  release: string
  /** The type's plan; count, ports and aliases do not apply. */
  process: ProcessPlan
  /** Replaces the type's command. */
  command: string[]
  kind: 'one-off' | 'timer' | 'release-command'
  /** Its row of the journal: kept with it, and found by it. */
  operation: string
  /** Ended when it runs longer; null runs without limit. */
  timeoutMs: number | null
}

export interface RunningOneOff {
  process: Process
  exit: Promise<ExitCode>
}

export interface LogQuery {
  /** Of one app or service; of all when absent. */
  owner?: Owner
  types?: string[]
  process?: string
  release?: string
  /** RFC 3339. */
  since?: string
  /** What `parseLogPattern` reads. */
  grep?: string
  /** The cursor of a line: all that the same query gives behind it, nothing twice and nothing left out. */
  after?: string
  /** The newest N lines only; not together with `after`. */
  tail?: number
  follow: boolean
}

export interface LogLine {
  /** RFC 3339 UTC with as many fractional digits as the engine has. */
  time: string
  owner: Owner
  type: string
  /** Empty where the rack speaks of a whole type. */
  process: string
  release: string
  /** `rack`: lines are missing here, and this one says which. */
  stream: 'stdout' | 'stderr' | 'rack'
  text: string
  /** Made by the engine, read by it alone. */
  cursor: string
}

/** As those see it who work with its app. */
export type AppLogLine = OfApp<LogLine>

/** What a sweep must leave. */
export interface Keep {
  owners: Owner[]
  /** References of images, as builds gave them. */
  images: string[]
  /** True also drops the cache of builds. */
  buildCache: boolean
  /** True also drops the volumes of owners that `owners` does not name. */
  volumes: boolean
}

export interface Swept {
  images: number
  containers: number
  networks: number
  volumes: number
  bytes: number
}

/** A tar that is read, or where one is written to; settles when more may follow. */
export type Archive = { in: AsyncIterable<Uint8Array> } | { out: (chunk: Uint8Array) => Promise<void> }

/** A byte stream in both directions, each of which ends by itself. */
export interface Duplex {
  /** Settles when more may follow. @throws unreachable when the other side broke the connection */
  input(chunk: Uint8Array): Promise<void>
  /** Nothing more goes in; what comes out may go on. */
  end(): void
  /** Read as fast as it is wanted; the other side is held back meanwhile. */
  output: AsyncIterable<Uint8Array>
  /** Ends both directions at once. */
  close(): void
}
