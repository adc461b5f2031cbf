import { readLines } from '../../../lib/lines.ts'

/** One piece of output as Docker frames it. */
export interface Frame {
  stream: 'stdout' | 'stderr'
  bytes: Buffer
}

const headerBytes = 8

/** Takes Docker's multiplexed stream apart; holds at most one frame. */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
    for (;;) {
      if (held.length < headerBytes) break
      const end = headerBytes + held.readUInt32BE(4)
      if (held.length < end) break
      // 0 is standard input, which a log never has; 2 is standard error.
      yield { stream: held[0] === 2 ? 'stderr' : 'stdout', bytes: held.subarray(headerBytes, end) }
      held = held.subarray(end)
    }
  }
}

/** One line of a container's log, with Docker's own time. */
export interface TimedLine {
  time: string
  stream: 'stdout' | 'stderr'
  text: string
}

/** Docker cuts what a process writes into pieces of 16 KiB; longer lines than this stay cut. */
const longestLineBytes = 64 * 1024

/** The lines of `GET /containers/ID/logs?timestamps=1`. */
export async function* readTimedLines(
  source: AsyncIterable<Uint8Array>,
  isTty: boolean,
): AsyncGenerator<TimedLine> {
  if (isTty) {
    for await (const line of readLines(source)) yield { stream: 'stdout', ...splitTime(line) }
    return
  }
  const pending: Record<Frame['stream'], TimedLine | null> = { stdout: null, stderr: null }
  for await (const { stream, bytes } of readFrames(source)) {
    const { time, text } = splitTime(bytes.toString('utf8'))
    const line: TimedLine = { stream, time, text: (pending[stream]?.text ?? '') + withoutNewline(text) }
    const isWhole = text.endsWith('\n') || line.text.length >= longestLineBytes
    pending[stream] = isWhole ? null : line
    // The time is that of its last piece, so that a later reader can go on exactly behind it.
    if (isWhole) yield line
  }
  for (const line of Object.values(pending)) if (line) yield line
}

function splitTime(text: string): { time: string; text: string } {
  const space = text.indexOf(' ')
  return space === -1 ? { time: text, text: '' } : { time: text.slice(0, space), text: text.slice(space + 1) }
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '')
}
