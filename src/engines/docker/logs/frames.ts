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

/** What Docker keeps as one entry: a line, or a part of one that is longer than `pieceBytes`. */
interface Piece {
  stream: Frame['stream']
  time: string
  /** With its newline, if it is the last of its line. */
  bytes: Buffer
}

/** Docker cuts what a process writes into pieces of this size. */
const pieceBytes = 16 * 1024
/** Longer lines than this stay cut. */
const longestLineBytes = 4 * pieceBytes
const newline = 0x0a

/** The lines of `GET /containers/ID/logs?timestamps=1`; a container with a terminal has one stream without frames. */
export async function* readTimedLines(
  source: AsyncIterable<Uint8Array>,
  isTty: boolean,
): AsyncGenerator<TimedLine> {
  const open: Record<Frame['stream'], Piece | null> = { stdout: null, stderr: null }
  for await (const { stream, time, bytes } of isTty ? rawPieces(source) : framedPieces(source)) {
    const before = open[stream]
    // The time is that of its last piece, so that a later reader can go on exactly behind it.
    const line = { stream, time, bytes: before ? Buffer.concat([before.bytes, bytes]) : bytes }
    const isWhole = bytes.at(-1) === newline || line.bytes.length >= longestLineBytes
    open[stream] = isWhole ? null : line
    if (isWhole) yield toLine(line)
  }
  for (const line of Object.values(open)) if (line) yield toLine(line)
}

async function* framedPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  for await (const { stream, bytes } of readFrames(source)) {
    yield { stream, ...splitTime(bytes) }
  }
}

/** Before each piece stands its time, in the middle of a long line too: after as many bytes as a piece can have. */
async function* rawPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const stream = 'stdout'
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    held = Buffer.concat([held, chunk])
    for (let length = pieceLength(held); length > 0; length = pieceLength(held)) {
      yield { stream, ...splitTime(held.subarray(0, length)) }
      held = held.subarray(length)
    }
  }
  if (held.length > 0) yield { stream, ...splitTime(held) }
}

/** How long the first piece is, with its time; 0 when it is not all there. */
function pieceLength(held: Buffer): number {
  const start = held.indexOf(' ') + 1
  if (start === 0) return 0
  const end = held.subarray(start, start + pieceBytes).indexOf(newline)
  if (end !== -1) return start + end + 1
  return held.length >= start + pieceBytes ? start + pieceBytes : 0
}

function splitTime(bytes: Buffer): Pick<Piece, 'time' | 'bytes'> {
  const space = bytes.indexOf(' ')
  const end = space === -1 ? bytes.length : space
  return { time: bytes.toString('latin1', 0, end), bytes: bytes.subarray(end + 1) }
}

function toLine({ stream, time, bytes }: Piece): TimedLine {
  return { stream, time, text: bytes.toString('utf8').replace(/\r?\n$/, '') }
}
