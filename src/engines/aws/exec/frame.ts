import { createHash } from 'node:crypto'

/** Kinds of content of a frame. */
export const payloadTypes = {
  none: 0,
  output: 1,
  size: 3,
  handshakeRequest: 5,
  handshakeResponse: 6,
  handshakeComplete: 7,
} as const

/** One message of the data channel of Session Manager, which is what an exec of ECS speaks. */
export interface Frame {
  /** `input_stream_data`, `output_stream_data`, `acknowledge`, `channel_closed`, or one that says nothing here. */
  type: string
  createdMs: number
  sequence: number
  /** 1 begins the input, 3 stands on an acknowledgement. */
  flags: number
  /** A UUID. */
  id: string
  payloadType: number
  payload: Buffer
}

/**
 * Bytes of a message: the length of the header, which does not count itself's end (116), then its fields, then the length of
 * the payload, and the payload.
 * @see https://github.com/aws/session-manager-plugin, `agentmessage.go`
 */
const at = {
  type: 4,
  schema: 36,
  created: 40,
  sequence: 48,
  flags: 56,
  id: 64,
  digest: 80,
  payloadType: 112,
  payloadLength: 116,
  payload: 120,
} as const

const typeBytes = at.schema - at.type

export function encodeFrame(frame: Frame): Buffer {
  const bytes = Buffer.alloc(at.payload + frame.payload.length)
  bytes.writeUInt32BE(at.payloadLength, 0)
  bytes.write(frame.type.padEnd(typeBytes), at.type, typeBytes, 'latin1')
  bytes.writeUInt32BE(1, at.schema)
  bytes.writeBigUInt64BE(BigInt(frame.createdMs), at.created)
  bytes.writeBigInt64BE(BigInt(frame.sequence), at.sequence)
  bytes.writeBigUInt64BE(BigInt(frame.flags), at.flags)
  swapHalves(Buffer.from(frame.id.replaceAll('-', ''), 'hex')).copy(bytes, at.id)
  createHash('sha256').update(frame.payload).digest().copy(bytes, at.digest)
  bytes.writeUInt32BE(frame.payloadType, at.payloadType)
  bytes.writeUInt32BE(frame.payload.length, at.payloadLength)
  frame.payload.copy(bytes, at.payload)
  return bytes
}

/** Null for what is no whole message, or is damaged. */
export function decodeFrame(bytes: Buffer): Frame | null {
  if (bytes.length < at.payload) return null
  // Later versions may have a longer header: the payload's length stands behind it.
  const headerEnd = bytes.readUInt32BE(0)
  if (headerEnd < at.payloadLength || headerEnd + 4 > bytes.length) return null
  const payload = bytes.subarray(headerEnd + 4)
  const hasDigest = payload.length > 0 && createHash('sha256').update(payload).digest()
  if (payload.length !== bytes.readUInt32BE(headerEnd)) return null
  if (hasDigest && !hasDigest.equals(bytes.subarray(at.digest, at.payloadType))) return null
  return {
    type: bytes.toString('latin1', at.type, at.schema).replaceAll('\0', ' ').trim(),
    createdMs: Number(bytes.readBigUInt64BE(at.created)),
    sequence: Number(bytes.readBigInt64BE(at.sequence)),
    flags: Number(bytes.readBigUInt64BE(at.flags)),
    id: uuidText(swapHalves(bytes.subarray(at.id, at.digest))),
    payloadType: bytes.readUInt32BE(at.payloadType),
    payload: Buffer.from(payload),
  }
}

/** The less significant half of a UUID comes first. */
function swapHalves(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(8), bytes.subarray(0, 8)])
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Says that a message has come; itself it is never acknowledged. */
export function acknowledgementOf({ type, id, sequence }: Frame): Omit<Frame, 'id' | 'createdMs'> {
  const said = {
    AcknowledgedMessageType: type,
    AcknowledgedMessageId: id,
    AcknowledgedMessageSequenceNumber: sequence,
    IsSequentialMessage: true,
  }
  return {
    type: 'acknowledge',
    sequence: 0,
    flags: 3,
    payloadType: payloadTypes.none,
    payload: Buffer.from(JSON.stringify(said)),
  }
}

/** The sequence number that an acknowledgement is about. */
export function acknowledgedBy({ payload }: Frame): number {
  const said = JSON.parse(payload.toString()) as { AcknowledgedMessageSequenceNumber: number }
  return said.AcknowledgedMessageSequenceNumber
}
