/** What a field holds: a number of wire type 0, 1 or 5 (signed, 64 bits at most), or the bytes of anything longer. */
export type ProtobufValue = number | Uint8Array

/** A message by its fields' numbers; of a field that came several times each value, in order. */
export type ProtobufFields = Map<number, ProtobufValue[]>

/**
 * Reads a protobuf message without its definition; bytes are views, not copies.
 *
 * @throws RangeError when it is no message, or is cut off
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function readFields(message: Uint8Array): ProtobufFields {
  const fields: ProtobufFields = new Map()
  const cursor = { message, at: 0 }
  while (cursor.at < message.length) {
    const tag = readVarint(cursor)
    const values = fields.get(tag >>> 3)
    const value = readValue(cursor, tag & 7)
    if (values) values.push(value)
    else fields.set(tag >>> 3, [value])
  }
  return fields
}

/** The number of a field, 0 when it is not there: as its writer leaves it out. */
export function numberAt(fields: ProtobufFields, field: number): number {
  const value = fields.get(field)?.at(-1)
  return typeof value === 'number' ? value : 0
}

/** Each value of a repeated field of bytes, text or messages. */
export function bytesAt(fields: ProtobufFields, field: number): Uint8Array[] {
  return (fields.get(field) ?? []).filter((value) => typeof value !== 'number')
}

/** The text of a field, empty when it is not there. */
export function textAt(fields: ProtobufFields, field: number): string {
  return Buffer.from(bytesAt(fields, field).at(-1) ?? []).toString('utf8')
}

/** A field of bytes, text or a message, as it is written. */
export function bytesField(field: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content as Uint8Array)
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes])
}

/** A field of a whole number from 0 on. */
export function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest % 0x80) | 0x80)
  }
}

interface Cursor {
  message: Uint8Array
  at: number
}

function readValue(cursor: Cursor, wireType: number): ProtobufValue {
  if (wireType === 0) return readVarint(cursor)
  if (wireType === 1) return Number(Buffer.from(take(cursor, 8)).readBigInt64LE())
  if (wireType === 2) return take(cursor, readVarint(cursor))
  if (wireType === 5) return Buffer.from(take(cursor, 4)).readInt32LE()
  throw new RangeError(`protobuf: there is no wire type ${wireType}`)
}

function take(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length
  if (length < 0 || end > cursor.message.length) throw new RangeError('protobuf: the message is cut off')
  const bytes = cursor.message.subarray(cursor.at, end)
  cursor.at = end
  return bytes
}

/** Seven bits a byte, the lowest first; a negative number takes all ten bytes. */
function readVarint(cursor: Cursor): number {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const [byte = 0] = take(cursor, 1)
    if (byte < 0x80 && shift === 0n) return byte
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return Number(BigInt.asIntN(64, value))
  }
  throw new RangeError('protobuf: a number is longer than ten bytes')
}
