import type { ContainerOptions, FileMount, TypeMount, Ulimit } from './container.ts'
import type { Isolation } from './isolation.ts'
import type { Health, NamelessPort, Port } from './port.ts'
import type { Routing } from './routing.ts'
import type { Timer } from './timer.ts'

/** What a compose file says, in one canonical form; short and long syntax are gone. Made by `manifest/`. */
export interface Manifest {
  processes: ProcessType[]
  /** Names of the declared volumes that a process mounts. */
  volumes: string[]
  /** Those that keep processes apart, or from the outside; absent where all share one that has a way out. */
  networks?: Network[]
}

/** An entry under the top-level `networks:`. */
export interface Network {
  name: string
  /** True for one without a way out. */
  isInternal: boolean
}

/** What compose files and all that they name may have together, so that reading them is bounded too. */
export const largestManifestBytes = 16 * 1024 * 1024

/** What a process type may be called. */
export const processNamePattern = /^[a-z][a-z0-9-]{0,30}$/

/** An entry under `services:`; its name matches `processNamePattern`. */
export interface ProcessType {
  name: string
  /** How the image is built; null when it is only pulled. */
  build: BuildSpec | null
  /** The image to pull, or what this app's own file calls what is built; null when `build` alone is given. */
  image: string | null
  /** When a build asks the registry for `image`. */
  pullPolicy: PullPolicy | null
  /** Argument vectors; null keeps the image's own. */
  command: string[] | null
  entrypoint: string[] | null
  environment: Variable[]
  ports: Port[]
  /** A raw tcp port that may be a web page, where no label says that it is meant; absent where there is none, or a web port. */
  nameless?: NamelessPort
  /** Container ports from `expose:`; reachable inside the app only. */
  expose: number[]
  links: ProcessLink[]
  dependsOn: Dependency[]
  /** Host names besides its own by which other processes of the app reach it (`container_name`, network aliases). */
  hostNames: string[]
  /** Absent where all processes of the app share a network. */
  isolation?: Isolation
  /** The container's labels; those of the `rack.*` family are read into the fields here, and are not among them. */
  labels: Record<string, string>
  mounts: TypeMount[]
  /** Entries of `configs:` and `secrets:`. */
  files: FileMount[]
  container: ContainerOptions
  /** The check that runs inside the container (compose `healthcheck:`). Null keeps the image's own. */
  healthcheck: HealthcheckSettings | null
  /** How the rack decides that a copy serves (`rack.health.*`). */
  health: Health
  /** How the router treats those who come from outside. */
  routing: Routing
  /** True runs one copy on every instance. */
  isAgent: boolean
  /** What the first deploy uses; afterwards `rack scale` owns it. */
  formation: Formation
  deployment: DeploymentRules
  /** How long a new copy is watched before those that it replaces leave. */
  watchMs: number
  /** True goes back to the release before when a copy crashes in the first minute after a promote. */
  rollsBack: boolean
  drainTimeoutMs: number
  /** How long requests wait where no copy serves and one is due (`rack.deployment.hold`); 0 answers at once. */
  holdMs: number
  stopGraceMs: number
  stopSignal: string | null
  user: string | null
  workingDir: string | null
  init: boolean
  /** `host:address` pairs for the process's hosts file. */
  extraHosts: { host: string; address: string }[]
  restart: RestartPolicy
  /** Runs once, of the new release, before traffic moves (`rack.release.command`). */
  releaseCommand: string[] | null
  /** Whether it runs for every promote of a release, or for a build that was never live alone (`rack.release.on`). */
  releaseCommandOn: ReleaseOccasion
  /** Commands that run at given times (`rack.cron.*`). */
  timers: Timer[]
  /** True gives it the variables alone that its file names (`rack.environment=declared`), so that others replace nothing. */
  isDeclaredOnly?: true
}

/** How the copies of a type make place for those of another release. */
export interface DeploymentRules {
  minimumPercent: number
  maximumPercent: number
  /** True when the file itself asks that two releases overlap, whatever volumes they share. */
  mayOverlap: boolean
}

export type ReleaseOccasion = 'promote' | 'build'

/** `always`: the registry must give it; `missing`: where it is not here; `never`: it must be here. */
export type PullPolicy = 'always' | 'missing' | 'never'

export type RestartPolicy = 'always' | 'on-failure' | 'no'

export interface BuildSpec {
  /** Relative to the source directory, `.` for the directory itself; never leaves it. */
  context: string
  /** The repository that is fetched to the context, as the file has it: `URL#REF:FOLDER`. */
  repository?: string
  /** Relative to the context. */
  dockerfile: string
  target: string | null
  /** The Dockerfile itself (`dockerfile_inline`); `dockerfile` then names no file. */
  inline: string | null
  /** `none` builds without a network. */
  network: 'none' | null
  extraHosts: { host: string; address: string }[]
  /** Labels of the image. */
  labels: Record<string, string>
  /** A null value takes the app environment's, if it has one. */
  args: Record<string, string | null>
  /** What the Dockerfile may name in `FROM` and `--from` beside its own stages. */
  contexts: NamedContext[]
  /** Of /dev/shm while a step runs; null is the engine's own. */
  shmBytes: number | null
  ulimits: Ulimit[]
  /** Files that steps may mount (`RUN --mount=type=secret`), and keep in no layer. */
  secrets: BuildSecret[]
  /** Private keys that steps may sign with (`RUN --mount=type=ssh`), and never see. */
  keys: BuildSecret[]
}

/** The build of a Dockerfile at the root of the source, that asks for nothing else. */
export const plainBuild: BuildSpec = {
  context: '.',
  dockerfile: 'Dockerfile',
  target: null,
  inline: null,
  network: null,
  extraHosts: [],
  labels: {},
  args: {},
  contexts: [],
  shmBytes: null,
  ulimits: [],
  secrets: [],
  keys: [],
}

/** A folder of the source, an image, or the image of another process of the file. */
export type NamedContext = { name: string } & ({ folder: string } | { image: string } | { process: string })

/** What a step of a build gets while it runs. */
export interface BuildSecret {
  /** That of the mount. */
  id: string
  /** Of the secret under the top-level `secrets:`; of a key its id. */
  name: string
  /** Base64. */
  content: string
  /** A path of the source directory, or a variable. */
  origin: { file: string } | { environment: string }
}

/** A variable of one process type; a null value means that the app's environment must supply it. */
export interface Variable {
  name: string
  value: string | null
}

export interface ProcessLink {
  /** The process type that is reached. */
  target: string
  /** The host name and, upper-cased with `-` → `_`, the prefix of the seven variables. */
  alias: string
}

export interface Dependency {
  target: string
  condition: 'started' | 'healthy' | 'completed'
  /** True replaces the copies of this type whenever those of the target are replaced. */
  restart: boolean
}

/** What a file says of the check; what is null the image says, else Docker's defaults hold. */
export type HealthcheckSettings = { [Key in keyof Healthcheck]: Healthcheck[Key] | null }

export interface Healthcheck {
  /** Docker's form: `['CMD', …]`, `['CMD-SHELL', text]`, or `['NONE']` to switch the image's check off. */
  test: string[]
  intervalMs: number
  timeoutMs: number
  retries: number
  startPeriodMs: number
}

/** How many copies of a type run, and what each reserves. */
export interface Formation {
  count: number
  /** 1024 is one core: a reservation and a relative share. */
  cpuUnits: number
  /** A hard limit. */
  memoryBytes: number
}

export const defaultFormation: Formation = { count: 1, cpuUnits: 128, memoryBytes: 256 * 1024 * 1024 }

/** Docker refuses a smaller memory limit. */
export const smallestMemoryBytes = 6 * 1024 * 1024

/** A place in a file that a person wrote; `line` and `column` count from 1. */
export interface Position {
  file: string
  line: number
  column: number
}

/** Something to say about one place of a compose file. */
export interface Problem {
  severity: 'error' | 'warning'
  position: Position
  /** The path of the key, dotted: `services.web.ports[0]`. */
  path: string
  message: string
  /** What to write instead. */
  hint?: string
  /** Who decides it, where it may be solved without touching the file: the app's environment, or the rack's policy. */
  kind?: 'variable' | 'policy'
}

/** The texts that a manifest is read from; they are kept with the build, so a release can be read again. */
export interface ManifestSource {
  /** The compose files in the order of merging; at least one. Paths are relative to the source directory. */
  files: { path: string; text: string }[]
  /** The text of `.env`, if the directory has one. Holds secrets: encrypted where it rests. */
  dotenv: string | null
  /** Texts of the further files that those name (`extends`, `include`, `env_file`, `label_file`), by path. Hold secrets too. */
  texts: Record<string, string>
  /** Contents, in base64, of the files that `configs:` and `secrets:` name, by path. Hold secrets too. */
  contents: Record<string, string>
  /** What is at the paths of relative bind mounts, by path from the source directory; nothing where it says nothing. */
  places?: Record<string, SourcePlace>
}

/**
 * What the source directory has at a path: a folder of which the release takes something, an empty one, one of which
 * `.dockerignore` leaves out everything, something that is no part of a source, or nothing; outside is what lies beside
 * the directory.
 */
export const placeKinds = [
  'file',
  'folder',
  'empty',
  'ignored',
  'unreadable',
  'withheld',
  'special',
  'outside',
  'nothing',
] as const

export type PlaceKind = (typeof placeKinds)[number]

export interface SourcePlace {
  holds: PlaceKind
  /** True where the app has a volume of this name: what was data stays data. */
  isVolume?: boolean
}
