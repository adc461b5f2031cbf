/** What a promote did, and what those outside felt of it. Kept with the promote. */
export interface Receipt {
  /** Requests through the router from the first new copy's start to the last old one's end. */
  requests: number
  /** Those that the router could not serve: connection errors and answers of its own making. */
  failed: number
  /** The longest time that a request waited to be sent to a process, ms; null where the engine can't tell. */
  longestStallMs: number | null
  /** Types that had no copy before, those whose copies were replaced, and those that kept theirs. */
  started: string[]
  replaced: string[]
  kept: string[]
  trace: TraceEntry[]
}

/** One phase of a promote; times in ms since its beginning. */
export interface TraceEntry {
  phase: string
  process: string | null
  startMs: number
  endMs: number
}

/** Why a copy failed a promote: enough to mend it without another command. */
export interface CopyFailure {
  process: string
  type: string
  reason: 'exited' | 'out-of-memory' | 'not-healthy' | 'not-started' | 'command-failed'
  exitCode: number | null
  /** The last lines of its log, oldest first; at most 20. */
  lastLines: string[]
  /** What the last probe saw: `connection refused on 3000`, `GET /health answered 500`. */
  probe: string | null
}
