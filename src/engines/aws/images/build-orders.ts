import type { BuiltImages } from '../../../domain/build.ts'
import type { Progress } from '../../../domain/control.ts'
import type { ImageRequest, LaidContent } from '../../../domain/engine.ts'
import type { Environment } from '../../../domain/environment.ts'
import { RackError, type ErrorCode } from '../../../domain/error.ts'
import type { RegistryLogin } from '../../../domain/registry.ts'

/** What a build in the account is to do: an object of the rack's bucket, read by `rack build-in-account`. */
export interface BuildOrders {
  rack: string
  app: string
  build: string
  /** Of the app, in the account's registry. */
  repository: string
  /** Key of the tar of the source. */
  source: string
  images: OrderedImage[]
  logins: RegistryLogin[]
  environment: Environment
  noCache: boolean
  deadlineMs: number
}

/** An image with what lies over it as objects, each the entries of a tar that belong to root. */
export interface OrderedImage extends Omit<ImageRequest, 'laid'> {
  laid: (Omit<LaidContent, 'open'> & { key: string })[]
}

/** What a build says of itself, in order, each as a line of its log. */
export type BuildRecord = { at: number } & (
  | { says: 'progress'; progress: Progress }
  | { says: 'done'; images: BuiltImages }
  | {
      says: 'failed'
      code: ErrorCode
      message: string
      hint: string | null
      details: unknown
    }
)

const mark = 'rack-build '

export function writeRecord(record: BuildRecord): string {
  return `${mark}${JSON.stringify(record)}`
}

/** Null for a line of whoever else speaks in the log. */
export function readRecord(line: string): BuildRecord | null {
  return line.startsWith(mark) ? (JSON.parse(line.slice(mark.length)) as BuildRecord) : null
}

/** The records of a build as its log gives them: late, twice, and not in order. */
export interface RecordQueue {
  /** Those that follow what was given so far, without a gap. */
  push(records: BuildRecord[]): BuildRecord[]
}

export function createRecordQueue(): RecordQueue {
  const waiting = new Map<number, BuildRecord>()
  let next = 0
  return {
    push(records) {
      for (const record of records) if (record.at >= next) waiting.set(record.at, record)
      const ready: BuildRecord[] = []
      for (let record = waiting.get(next); record; record = waiting.get(next)) {
        waiting.delete(next++)
        ready.push(record)
      }
      return ready
    },
  }
}

export function errorOfRecord(record: Extract<BuildRecord, { says: 'failed' }>): RackError {
  const { code, message, hint, details } = record
  return new RackError(code, message, { ...(hint !== null && { hint }), ...(details != null && { details }) })
}
