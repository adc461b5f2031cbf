/** What was served: requests of HTTP, connections of TCP. */
export interface Tally {
  requests: number
  /** Answered with a status from 500, by a process or by the router for want of one; or cut by the process. */
  failed: number
}

/** What an app has served since its first route. */
export interface ServedTraffic extends Tally {
  /** Those that have waited for a copy that was due. */
  held: number
  /** By the release that started the copy; what no copy was given is only in the sum. */
  releases: Record<string, Tally>
  /** Until the first byte of an answer, ms, by release: a mean of the newest of each copy. Of HTTP alone. */
  answerMs: Record<string, number>
  /** By process, of copies that are there: since the router last read its configuration. */
  copies: Record<string, CopyTraffic>
}

/** What one copy was given. */
export interface CopyTraffic extends Tally {
  /** Until the first byte of an answer, a mean of the newest; null for TCP, and before the first. */
  answerMs: number | null
}
