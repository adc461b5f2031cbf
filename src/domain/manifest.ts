import type { ContainerOptions, FileMount, Mount } from './container.ts'
import type { Health, Port } from './port.ts'
import type { Routing } from './routing.ts'

/** What a compose file says, in one canonical form; short and long syntax are gone. Made by `manifest/`. */
export interface Manifest {
  processes: ProcessType[]
  /** Names of the declared volumes that a process mounts. */
  volumes: string[]
}

/** What a process type may be called. */
export const processNamePattern = /^[a-z][a-z0-9-]{0,30}$/

/** An entry under `services:`; its name matches `processNamePattern`. */
export interface ProcessType {
  name: string
  /** How the image is built; null when it is only pulled. */
  build: BuildSpec | null
  /** The image to pull, or the tag of what is built; null when `build` alone is given. */
  image: string | null
  /** Argument vectors; null keeps the image's own. */
  command: string[] | null
  entrypoint: string[] | null
  environment: Variable[]
  ports: Port[]
  /** Container ports from `expose:`; reachable inside the app only. */
  expose: number[]
  links: ProcessLink[]
  dependsOn: Dependency[]
  /** Host names besides its own by which other processes of the app reach it (`container_name`, network aliases). */
  hostNames: string[]
  /** The container's labels; those of the `rack.*` family are read into the fields here, and are not among them. */
  labels: Record<string, string>
  mounts: Mount[]
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
  deployment: { minimumPercent: number; maximumPercent: number }
  drainTimeoutMs: number
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
}

export type RestartPolicy = 'always' | 'on-failure' | 'no'

export interface BuildSpec {
  /** Relative to the source directory, `.` for the directory itself; never leaves it. */
  context: string
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
}
