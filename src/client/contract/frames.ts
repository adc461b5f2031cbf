/**
 * A WebSocket of `execProcess`, `attachProcess` or `connectInside` carries binary messages; the first byte is the channel, the rest its
 * content: bytes for the standard streams, JSON for the others, nothing for `endOfInput`.
 */
export const channels = {
  input: 0,
  output: 1,
  error: 2,
  /** `{ rows, columns }` */
  resize: 3,
  /** `{ exitCode }`; the last message. */
  exit: 4,
  endOfInput: 5,
  /** A problem; the last message. */
  problem: 6,
  /** Of `attachProcess` the process, once it runs; of `connectInside` nothing, once it is connected. */
  started: 7,
  /** Of `connectInside` only: no more output comes, input may go on. */
  endOfOutput: 8,
} as const

export type Channel = (typeof channels)[keyof typeof channels]

/** Senders cut longer content into pieces; a longer message ends the connection. */
export const largestFrameBytes = 1024 * 1024

/** Puts the channel before the content. */
export function encodeFrame(channel: Channel, content: Uint8Array = new Uint8Array()): Uint8Array {
  const frame = new Uint8Array(content.length + 1)
  frame[0] = channel
  frame.set(content, 1)
  return frame
}

/** The same for a value that travels as JSON. */
export function encodeJsonFrame(channel: Channel, value: unknown): Uint8Array {
  return encodeFrame(channel, new TextEncoder().encode(JSON.stringify(value)))
}

/** Frames of at most `pieceBytes` that carry the content in order. */
export function* splitFrames(
  channel: Channel,
  content: Uint8Array,
  pieceBytes = 64 * 1024,
): Generator<Uint8Array> {
  for (let start = 0; start < content.length; start += pieceBytes) {
    yield encodeFrame(channel, content.subarray(start, start + pieceBytes))
  }
}

/** Takes a message apart; an empty one has no channel. */
export function decodeFrame(message: Uint8Array): { channel: number; content: Uint8Array } {
  return { channel: message[0] ?? -1, content: message.subarray(1) }
}

/** Reads the content of a JSON channel. @throws SyntaxError */
export function frameJson(content: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(content))
}
