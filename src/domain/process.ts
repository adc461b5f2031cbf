import type { OfApp, Owner } from './owner.ts'

export type ProcessKind = 'process' | 'one-off' | 'release-command' | 'timer' | 'agent'

export type ProcessStatus =
  | 'starting'
  | 'running'
  | 'unhealthy'
  | 'draining'
  | 'stopping'
  | 'completed'
  /** By another hand than the rack's: the rack starts it again. */
  | 'stopped'
  | 'crashed'
  | 'restarting'

/** One running copy of a process type. */
export interface Process {
  /** `P` and ten capitals. */
  id: string
  owner: Owner
  type: string
  kind: ProcessKind
  status: ProcessStatus
  /** More words on the status: `crashed (137, OOM) ×6`. */
  detail: string | null
  /** The release that started this copy. */
  release: string
  started: string | null
  /** When it ended for good; null while it runs, or may run again. */
  ended: string | null
  command: string[]
  address: string | null
  /** Of its last end: one that runs again still has it. */
  exitCode: number | null
  restarts: number
  /** How often it ended for want of memory, as far as the engine still knows; null while it has not looked yet. */
  outOfMemory: number | null
  cpuUnits: number
  memoryBytes: number
  /** Of one core ×100, and of the limit; null when not sampled. */
  cpuPercent: number | null
  memoryPercent: number | null
}

/** What a process that runs takes of the machine. */
export interface Usage {
  /** Its id. */
  process: string
  /** When it was read, RFC 3339: the difference of two readings over the time between them is the share of a core. */
  time: string
  /** Of all cores, since it was started the last time. */
  cpuSeconds: number
  /** Without what the kernel may take back at once, such as files that were read. */
  memoryBytes: number
  /** What it may have; null without a limit. */
  memoryLimitBytes: number | null
}

/** As those see it who work with its app. */
export type AppProcess = OfApp<Process>

export interface ProcessFilter {
  owner?: Owner
  type?: string
  id?: string
  /** The one-off that is this operation of the journal. */
  operation?: string
  /** Sample cpu and memory: slower. */
  stats?: boolean
  /** Ended one-offs too. */
  all?: boolean
}

export type ExitCode = number
