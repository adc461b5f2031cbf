/** What those outside felt of a promote; null is not known: not yet, or not to this engine. */
export interface Counts {
  /** Requests through the router from the first new copy's start to the last old one's end. */
  requests: number | null
  /** Those that the router could not serve: connection errors and answers of its own making. */
  failed: number | null
  /** The longest time that a request waited to be sent to a process, ms. */
  longestStallMs: number | null
  /** Requests that waited for a process to be replaced. */
  held: number | null
}

/** What a promote did, and what those outside felt of it. Kept with the promote. */
export interface Receipt extends Counts {
  /** Process ids of old copies whose connections were still ending when traffic had moved. */
  draining: string[]
  /** By this `measure` gives the counts when the last old copy has gone; null when they are complete. */
  measurement: string | null
  /** Types that had no copy before, those whose copies were replaced, and those that kept theirs. */
  started: string[]
  replaced: string[]
  kept: string[]
  trace: TraceEntry[]
  /** Copies that have crashed in the first minute after a promote; absent where none has. */
  crashed?: EarlyCrash[]
}

/** A new copy that was promoted, and did not stay. */
export interface EarlyCrash {
  process: string
  type: string
  /** How, in the words of `rack ps`: `crashed (137, OOM) ×2`. */
  detail: string
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
  reason:
    | 'exited'
    | 'exited-soon'
    | 'out-of-memory'
    | 'not-healthy'
    | 'not-started'
    | 'command-failed'
    | 'command-lost'
  exitCode: number | null
  /** The last lines of its log, oldest first; at most 20. */
  lastLines: string[]
  /** What the last probe saw: `connection refused on 3000`, `GET /health answered 500`. */
  probe: string | null
}

/** A receipt that says all that it ever will. */
export function completeReceipt(receipt: Receipt, counts: Counts): Receipt {
  return { ...receipt, ...counts, draining: [], measurement: null }
}
