export type ProcessKind = 'process' | 'one-off' | 'release-command' | 'timer' | 'agent'

export type ProcessStatus =
  | 'starting'
  | 'running'
  | 'unhealthy'
  | 'draining'
  | 'stopping'
  | 'completed'
  | 'crashed'
  | 'restarting'

/** One running copy of a process type. */
export interface Process {
  /** `P` and ten capitals. */
  id: string
  app: string
  type: string
  kind: ProcessKind
  status: ProcessStatus
  /** More words on the status: `crashed (137, OOM) ×6`. */
  detail: string | null
  /** The release that started this copy. */
  release: string
  started: string | null
  command: string[]
  address: string | null
  exitCode: number | null
  restarts: number
  cpuUnits: number
  memoryBytes: number
  /** Of one core ×100, and of the limit; null when not sampled. */
  cpuPercent: number | null
  memoryPercent: number | null
}

export interface ProcessFilter {
  app?: string
  type?: string
  id?: string
  /** Sample cpu and memory: slower. */
  stats?: boolean
  /** Ended one-offs too. */
  all?: boolean
}

export type ExitCode = number
