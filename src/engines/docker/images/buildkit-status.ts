import { RackError } from '../../../domain/error.ts'
import { bytesAt, numberAt, readFields, textAt, type ProtobufFields } from '../../../lib/protobuf.ts'

/** What a BuildKit build says of its progress; times in ms since 1970, of the engine's clock. */
export interface BuildKitStatus {
  vertexes: Vertex[]
  logs: VertexLog[]
  warnings: { short: string }[]
}

/** One step of a build; it comes again each time that it changes. */
export interface Vertex {
  digest: string
  name: string
  cached: boolean
  startedMs: number | null
  completedMs: number | null
  error: string
}

export interface VertexLog {
  vertex: string
  /** 1 is stdout, 2 stderr. */
  stream: number
  text: Uint8Array
}

/**
 * Reads the `aux` of a `moby.buildkit.trace` line: base64 of a protobuf message, of which this is the part that is told.
 *
 * @throws engine-failed when it is none
 * @see https://github.com/moby/buildkit/blob/master/api/services/control/control.proto
 */
export function decodeStatus(base64: string): BuildKitStatus {
  try {
    const status = readFields(Buffer.from(base64, 'base64'))
    return {
      vertexes: bytesAt(status, 1).map((bytes) => vertexOf(readFields(bytes))),
      logs: bytesAt(status, 3).map((bytes) => logOf(readFields(bytes))),
      warnings: bytesAt(status, 4).map((bytes) => ({ short: textAt(readFields(bytes), 3) })),
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = "Docker Engine: a build's progress cannot be read"
    throw new RackError('engine-failed', message, { cause: error })
  }
}

function vertexOf(fields: ProtobufFields): Vertex {
  return {
    digest: textAt(fields, 1),
    name: textAt(fields, 3),
    cached: numberAt(fields, 4) !== 0,
    startedMs: timeAt(fields, 5),
    completedMs: timeAt(fields, 6),
    error: textAt(fields, 7),
  }
}

function logOf(fields: ProtobufFields): VertexLog {
  const [text = new Uint8Array()] = bytesAt(fields, 4)
  return { vertex: textAt(fields, 1), stream: numberAt(fields, 3), text }
}

/** Seconds and nanoseconds, as `google.protobuf.Timestamp` has them. */
function timeAt(fields: ProtobufFields, field: number): number | null {
  const [bytes] = bytesAt(fields, field)
  if (!bytes) return null
  const time = readFields(bytes)
  return numberAt(time, 1) * 1000 + numberAt(time, 2) / 1e6
}
