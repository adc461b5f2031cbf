import type { Ends } from './process-news.ts'
import type { AppProcess, Usage } from './process.ts'
import type { CopyTraffic, Tally } from './traffic.ts'

/** What an app takes and serves; counters go up, but for a start from 0. */
export interface AppUsage {
  app: string
  /** When the counters of requests were read, RFC 3339. */
  time: string
  traffic: Tally
  /** By type: those that shall run, or do. */
  processes: Record<string, TypeUsage>
}

export interface TypeUsage {
  /** Copies that shall run. */
  wanted: number
  /** Of all copies that there were since the app was made. */
  ended: Ends
  copies: CopyUsage[]
}

export type CopyUsage = Pick<
  AppProcess,
  'id' | 'kind' | 'status' | 'detail' | 'release' | 'started' | 'restarts' | 'outOfMemory'
> & {
  /** Null for one that does not run. */
  usage: Omit<Usage, 'process'> | null
  /** Null for one that the router leads to nobody; since the router last read its configuration. */
  traffic: CopyTraffic | null
}
