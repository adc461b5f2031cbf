import { channels, decodeFrame, frameJson, splitFrames } from '../client/contract/frames.ts'
import type { TerminalCodec, TerminalMessage } from '../edge/socket-terminal.ts'

/** Messages of `/v1`: a byte of channel, then content. */
export const terminalCodec: TerminalCodec = {
  decode(message, isBinary) {
    if (!isBinary) return { type: 'unreadable', reason: 'only binary messages' }
    const { channel, content } = decodeFrame(message)
    if (channel === channels.input) return { type: 'input', content }
    if (channel === channels.endOfInput) return { type: 'end-of-input' }
    return channel === channels.resize ? parseSize(content) : null
  },
  encodeOutput: (stream, chunk) => splitFrames(stream === 'stdout' ? channels.output : channels.error, chunk),
}

function parseSize(content: Uint8Array): TerminalMessage | null {
  try {
    const { rows, columns } = frameJson(content) as { rows?: unknown; columns?: unknown }
    const isSize = (value: unknown): value is number =>
      Number.isInteger(value) && Number(value) > 0 && Number(value) <= 10_000
    return isSize(rows) && isSize(columns) ? { type: 'size', rows, columns } : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
