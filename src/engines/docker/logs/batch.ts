import type { RawLine } from './frames.ts'

/** How far a process's log is copied: the newest time, and how many lines have it. */
export interface Position {
  time: string
  count: number
}

/** Lines of one process as they stand in a file, to be written at once. */
export interface Batch {
  process: string
  bytes: Buffer
  lines: number
  /** Of its newest lines; null when only the rack itself says something. */
  newest: Position | null
}

/** Gathers lines into a batch, byte by byte: no line becomes text on its way from Docker to the file. */
export interface BatchBuilder {
  add(line: RawLine): void
  /** What was gathered; null when that is nothing. */
  take(): Batch | null
}

interface Author {
  process: string
  release: string
}

const tab = 0x09
const newline = 0x0a
const blank = 0x20
const smallestBytes = 1024

/** Gathers `time process release stream text`, with tabs between. */
export function createBatchBuilder({ process: processId, release }: Author): BatchBuilder {
  const middles = {
    stdout: Buffer.from(`\t${processId}\t${release}\to\t`),
    stderr: Buffer.from(`\t${processId}\t${release}\te\t`),
  }
  let bytes = Buffer.allocUnsafe(smallestBytes)
  let length = 0
  let lines = 0
  let newest: Newest | null = null

  const grow = (more: number) => {
    if (length + more <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * bytes.length, length + more))
    bytes.copy(larger, 0, 0, length)
    bytes = larger
  }

  return {
    add({ stream, time, text }) {
      const middle = middles[stream]
      grow(time.length + middle.length + text.length + 1)
      const start = length
      length += time.copy(bytes, length)
      length += middle.copy(bytes, length)
      length += copyLine(text, bytes, length)
      bytes[length++] = newline
      lines++
      newest = laterTime(newest, bytes, start, start + time.length)
    },
    take() {
      if (lines === 0) return null
      const taken = {
        process: processId,
        bytes: bytes.subarray(0, length),
        lines,
        newest: positionOf(newest, bytes),
      }
      bytes = Buffer.allocUnsafe(smallestBytes)
      ;[length, lines, newest] = [0, 0, null]
      return taken
    },
  }
}

/** What the rack itself has to say in the log of a process, where lines are missing. */
export function noticeBatch({ process: processId, release }: Author, time: string, text: string): Batch {
  return {
    process: processId,
    bytes: Buffer.from(`${time}\t${processId}\t${release}\tr\t${text}\n`),
    lines: 1,
    newest: null,
  }
}

/** A newline inside of a line, which only an odd log driver leaves there, would end it. */
function copyLine(text: Buffer, target: Buffer, at: number): number {
  const count = text.copy(target, at)
  for (let found = text.indexOf(newline); found !== -1; found = text.indexOf(newline, found + 1)) {
    target[at + found] = blank
  }
  return count
}

/** Where the newest time stands in the bytes gathered, and how many lines have it. */
interface Newest {
  start: number
  end: number
  count: number
}

/** Compared as bytes: Docker's times all have the same length. */
function laterTime(newest: Newest | null, bytes: Buffer, start: number, end: number): Newest {
  if (!newest) return { start, end, count: 1 }
  const order = bytes.compare(bytes, newest.start, newest.end, start, end)
  if (order === 0) newest.count++
  return order > 0 ? { start, end, count: 1 } : newest
}

function positionOf(newest: Newest | null, bytes: Buffer): Position | null {
  return newest && { time: bytes.toString('latin1', newest.start, newest.end), count: newest.count }
}

/** How far a log is copied when a batch has been added to it. */
export function laterPosition(known: Position | undefined, added: Position): Position {
  if (!known || added.time > known.time) return added
  if (added.time < known.time) return known
  return { time: known.time, count: known.count + added.count }
}

/** One line as it stands in a file. */
export interface Entry {
  /** Its number among all lines that the rack has ever kept. */
  sequence: number
  time: string
  process: string
  release: string
  stream: 'stdout' | 'stderr' | 'rack'
  text: string
}

const streams = { o: 'stdout', e: 'stderr', r: 'rack' } as const

/** Reads one line of a file; null for one that no batch has written. */
export function readEntry(line: Buffer, sequence: number): Entry | null {
  const ends: number[] = []
  for (let at = line.indexOf(tab); at !== -1 && ends.length < 4; at = line.indexOf(tab, at + 1)) ends.push(at)
  const [time = 0, processId = 0, release = 0, stream = 0] = ends
  const kind = streams[line.toString('latin1', release + 1, stream) as keyof typeof streams]
  if (ends.length < 4 || !kind) return null
  return {
    sequence,
    time: line.toString('latin1', 0, time),
    process: line.toString('latin1', time + 1, processId),
    release: line.toString('latin1', processId + 1, release),
    stream: kind,
    text: line.toString('utf8', stream + 1),
  }
}
