/** One piece of output as Docker frames it. */
export interface Frame {
  stream: 'stdout' | 'stderr'
  bytes: Buffer
}

const headerBytes = 8

/** Takes Docker's multiplexed stream apart; holds at most one frame. */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const frames: Frame[] = []
  const cut = createFrameCutter((stream, bytes) => frames.push({ stream, bytes }))
  for await (const chunk of source) {
    cut(chunk)
    yield* frames.splice(0)
  }
}

type HearFrame = (stream: Frame['stream'], bytes: Buffer) => void

/** Tells of each frame as its last byte arrives; the bytes are a view of what was given. */
function createFrameCutter(hear: HearFrame): (chunk: Uint8Array) => void {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = held.length === 0 ? asBuffer(chunk) : Buffer.concat([held, chunk])
    let start = 0
    while (bytes.length - start >= headerBytes) {
      const end = start + headerBytes + bytes.readUInt32BE(start + 4)
      if (bytes.length < end) break
      // 0 is standard input, which a log never has; 2 is standard error.
      hear(bytes[start] === 2 ? 'stderr' : 'stdout', bytes.subarray(start + headerBytes, end))
      start = end
    }
    held = bytes.subarray(start)
  }
}

/** One line of a container's log, with Docker's own time; the bytes are good until the next call. */
export interface RawLine {
  stream: Frame['stream']
  /** 30 bytes of RFC 3339. */
  time: Buffer
  /** Without its newline. */
  text: Buffer
}

/** Cuts `GET /containers/ID/logs?timestamps=1` into lines, without a wait: a loud process has a million of them. */
export interface LineCutter {
  push(chunk: Uint8Array): void
  /** Tells of the lines that had no newline yet. */
  end(): void
}

/** Docker cuts what a process writes into pieces of this size. */
const pieceBytes = 16 * 1024
/** Longer lines than this stay cut. */
const longestLineBytes = 4 * pieceBytes
const newline = 0x0a
const carriageReturn = 0x0d
const space = 0x20

/** A container with a terminal has one stream without frames. Holds at most one line of each stream. */
export function createLineCutter(isTty: boolean, hear: (line: RawLine) => void): LineCutter {
  const open: Record<Frame['stream'], Buffer | null> = { stdout: null, stderr: null }
  const times: Record<Frame['stream'], Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  const onPiece: HearFrame = (stream, bytes) => {
    const gap = bytes.indexOf(space)
    const timeEnd = gap === -1 ? bytes.length : gap
    // The time is that of its last piece, so that a later reader can go on exactly behind it.
    const time = bytes.subarray(0, timeEnd)
    const piece = bytes.subarray(timeEnd + 1)
    const before = open[stream]
    const text = before ? Buffer.concat([before, piece]) : piece
    if (piece.at(-1) === newline || text.length >= longestLineBytes) {
      open[stream] = null
      hear({ stream, time, text: withoutNewline(text) })
    } else {
      // Copied: what is given belongs to the caller, and may be a small part of a large piece of memory.
      open[stream] = Buffer.from(text)
      times[stream] = Buffer.from(time)
    }
  }
  const cutter = isTty
    ? createPieceCutter((piece) => onPiece('stdout', piece))
    : { push: createFrameCutter(onPiece), end: () => undefined }
  return {
    push: (chunk) => cutter.push(chunk),
    end() {
      cutter.end()
      for (const stream of ['stdout', 'stderr'] as const) {
        const text = open[stream]
        if (text) hear({ stream, time: times[stream], text: withoutNewline(text) })
        open[stream] = null
      }
    },
  }
}

/** Before each piece stands its time, in the middle of a long line too: after as many bytes as a piece can have. */
function createPieceCutter(hear: (piece: Buffer) => void): LineCutter {
  let held: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      held = held.length === 0 ? asBuffer(chunk) : Buffer.concat([held, chunk])
      for (let length = pieceLength(held); length > 0; length = pieceLength(held)) {
        hear(held.subarray(0, length))
        held = held.subarray(length)
      }
    },
    end() {
      if (held.length > 0) hear(held)
      held = Buffer.alloc(0)
    },
  }
}

/** How long the first piece is, with its time; 0 when it is not all there. */
function pieceLength(held: Buffer): number {
  const start = held.indexOf(space) + 1
  if (start === 0) return 0
  const end = held.subarray(start, start + pieceBytes).indexOf(newline)
  if (end !== -1) return start + end + 1
  return held.length >= start + pieceBytes ? start + pieceBytes : 0
}

function withoutNewline(text: Buffer): Buffer {
  if (text.at(-1) !== newline) return text
  return text.subarray(0, text.at(-2) === carriageReturn ? -2 : -1)
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

/** One line of a container's log as text. */
export interface TimedLine {
  time: string
  stream: Frame['stream']
  text: string
}

/** The lines of a container's log as text; a container with a terminal has one stream without frames. */
export async function* readTimedLines(
  source: AsyncIterable<Uint8Array>,
  isTty: boolean,
): AsyncGenerator<TimedLine> {
  const lines: TimedLine[] = []
  const cutter = createLineCutter(isTty, ({ stream, time, text }) => {
    lines.push({ stream, time: time.toString('latin1'), text: text.toString('utf8') })
  })
  for await (const chunk of source) {
    cutter.push(chunk)
    yield* lines.splice(0)
  }
  cutter.end()
  yield* lines
}
