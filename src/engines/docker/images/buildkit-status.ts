import protobuf from 'protobufjs'

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

const field = (id: number, type: string) => ({ id, type })
const many = (id: number, type: string) => ({ id, type, rule: 'repeated' })

/**
 * The part of the message that is read; fields that are not here are skipped.
 *
 * @see https://github.com/moby/buildkit/blob/master/api/services/control/control.proto
 */
const statusType = protobuf.Root.fromJSON({
  nested: {
    Status: { fields: { vertexes: many(1, 'Vertex'), logs: many(3, 'Log'), warnings: many(4, 'Warning') } },
    Vertex: {
      fields: {
        digest: field(1, 'string'),
        name: field(3, 'string'),
        cached: field(4, 'bool'),
        started: field(5, 'Time'),
        completed: field(6, 'Time'),
        error: field(7, 'string'),
      },
    },
    Log: { fields: { vertex: field(1, 'string'), stream: field(3, 'int64'), msg: field(4, 'bytes') } },
    Warning: { fields: { short: field(3, 'bytes') } },
    Time: { fields: { seconds: field(1, 'int64'), nanos: field(2, 'int32') } },
  },
}).lookupType('Status')

interface RawStatus {
  vertexes: {
    digest: string
    name: string
    cached: boolean
    started?: RawTime
    completed?: RawTime
    error: string
  }[]
  logs: { vertex: string; stream: number; msg: Uint8Array }[]
  warnings: { short: Uint8Array }[]
}

interface RawTime {
  seconds: number
  nanos: number
}

/** Reads the `aux` of a `moby.buildkit.trace` line: base64 of a protobuf message. */
export function decodeStatus(base64: string): BuildKitStatus {
  const message = statusType.decode(Buffer.from(base64, 'base64'))
  const raw = statusType.toObject(message, { longs: Number, defaults: true }) as RawStatus
  return {
    vertexes: raw.vertexes.map(({ digest, name, cached, started, completed, error }) => {
      return { digest, name, cached, error, startedMs: toMs(started), completedMs: toMs(completed) }
    }),
    logs: raw.logs.map(({ vertex, stream, msg }) => ({ vertex, stream, text: msg })),
    warnings: raw.warnings.map(({ short }) => ({ short: Buffer.from(short).toString('utf8') })),
  }
}

function toMs(time: RawTime | null | undefined): number | null {
  return time ? time.seconds * 1000 + time.nanos / 1e6 : null
}
