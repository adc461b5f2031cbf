import type { Control } from '../domain/control.ts'
import type { Plan, ProcessPlan } from '../domain/plan.ts'
import type { PortManners } from '../domain/port.ts'
import type { ProcessKind } from '../domain/process.ts'

/** What the rack has decided of a copy. It is kept where the copy is kept, so it survives the daemon. */
export type CopyMark =
  /** Started, and not through its gate. */
  | 'unproved'
  /** Through its gate: it has its names, and whoever restarts it when it ends. */
  | 'proved'
  /** Ended by itself, as its type is meant to. */
  | 'completed'
  /** Stopped to make room for its successor; it comes back when that fails. */
  | 'parked'
  /** Leaves for good: no new request, and gone when its connections have ended. */
  | 'draining'

/** A copy as it is found. */
export interface ObservedCopy {
  /** Process id. */
  process: string
  type: string
  kind: ProcessKind
  release: string
  /** What it was made from: it may stay under a type of the same identity. */
  identity: string
  createdMs: number
  /** `created` has never run; `restarting` ended and is about to be started again by the engine. */
  state: 'created' | 'running' | 'restarting' | 'ended'
  /** Of its last end. */
  exitCode: number | null
  /** True only when it is known that nobody stopped it. */
  endedByItself: boolean
  mark: CopyMark
  /** Names by which others inside the app reach it. */
  names: string[]
  /** How long its connections may last when it leaves. */
  drainMs: number
  /** Volumes that it has: its owner's by their names in the file, others by the engine's. */
  volumes: string[]
}

/** What is there of an app. */
export interface Observed {
  copies: ObservedCopy[]
  /** Process ids that the router sends requests to. */
  routed: string[]
}

/** One more copy of a type, or its release command. */
export interface CopyOrder {
  plan: Plan
  process: ProcessPlan
  identity: string
  /** Known from the start; a type that others reach gets its names when it is healthy. */
  names: string[]
}

/** What a probe saw; `answered` is false when nothing listened or nothing came back. */
export interface ProbeResult {
  isGood: boolean
  answered: boolean
  text: string
  /** Set when no later answer can be another. */
  isHopeless?: true
}

/** Where a probe knocks, and how: as the router will. */
export interface ProbeTarget extends PortManners {
  port: number
  /** An HTTP path that must answer 2xx or 3xx; null is a connect. */
  path: string | null
  /** The name by which it asks for the path. */
  host: string
  timeoutMs: number
}

export interface CopyEnd {
  code: number
  isOutOfMemory: boolean
}

/** Nobody of a type serves for a while: requests from outside wait until they are routed again. */
export interface Gap {
  /** Connections last no longer, since those that wait are let in when the last of them has ended. */
  longestDrainMs: number
  /** How long callers wait for what comes, ms. */
  holdMs: number
}

/**
 * What an engine can do to the copies of one app. The rollout says what, and in which order. Every verb may be repeated
 * after a crash in the middle of it; every one throws `engine-unavailable` when the engine does not answer.
 */
export interface Runtime {
  /** How long a copy without a port and a check must have run to count as healthy, ms. */
  readonly settleMs: number
  /** Says what a copy is made from, without its secrets; with what else of its type's plan cannot change in place. */
  identify: (text: string, plan: ProcessPlan) => string
  find(control: Control): Promise<Observed>
  /** Makes one more copy without starting it: the next start of its type takes it. @throws deploy-failed when it cannot be made */
  prepare(order: CopyOrder, control: Control): Promise<void>
  /** Makes one more copy and starts it. @throws deploy-failed when it cannot be started */
  start(order: CopyOrder, control: Control): Promise<ObservedCopy>
  /** Starts the release command of a type, or finds the one that this release has started; null when it is gone. */
  command(order: CopyOrder, mayStart: boolean, control: Control): Promise<ObservedCopy | null>
  /** Runs one again that has ended. @throws deploy-failed when it cannot be started */
  revive(copy: ObservedCopy, processPlan: ProcessPlan, control: Control): Promise<ObservedCopy>
  /** Rejects only when the signal ends. */
  probe(copy: ObservedCopy, target: ProbeTarget, control: Control): Promise<ProbeResult>
  /** Runs a check inside the copy. */
  check(copy: ObservedCopy, command: string[], timeoutMs: number, control: Control): Promise<ProbeResult>
  /** Settles when the copy's main process has ended. */
  ended(copy: ObservedCopy, control: Control): Promise<CopyEnd>
  /** The newest lines that it has printed, oldest first. */
  lastLines(copy: ObservedCopy, control: Control): Promise<string[]>
  /** Lets others inside the app reach it by these names. */
  name(copy: ObservedCopy, names: string[], control: Control): Promise<void>
  /** Writes down that it is proved, or completed, and who restarts it; gives the copy as it is then. */
  settle(copy: ObservedCopy, processPlan: ProcessPlan, control: Control): Promise<ObservedCopy>
  /** Sends requests from outside to these copies, and to no other; settles when they get them. */
  route(plan: Plan, processes: string[], control: Control): Promise<void>
  /**
   * Lets the connections of copies end, then stops them; they are marked as parked first.
   * @param gap null where others of the type serve meanwhile
   */
  park(copies: ObservedCopy[], gap: Gap | null, control: Control): Promise<void>
  /** Settles when leaving copies have let go of their volumes, at the end of their drain at the latest. */
  vacate(copies: ObservedCopy[], control: Control): Promise<void>
  /** Marks copies as draining; they leave behind the caller's back. */
  retire(copies: ObservedCopy[], control: Control): Promise<void>
  /** Ends copies at once and removes what is left of them. */
  remove(copies: ObservedCopy[], control: Control): Promise<void>
}
