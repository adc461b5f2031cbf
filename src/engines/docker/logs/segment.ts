import { open, readdir, rm, truncate, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Position } from './batch.ts'

/** One file of a kept log. A log is a row of them: the newest is written, the oldest go when there are too many. */
export interface Segment {
  path: string
  /** The number of its first line, which is its name too. */
  first: number
  /** What was kept of the log before it. */
  before: Before
}

/** The first line of a file: all that the files before it would tell. */
export interface Before {
  lines: number
  bytes: number
  /** The number and the time of the last line. */
  last: number
  time: string
  /** How far the processes of the log are copied. */
  positions: Record<string, Position>
}

export const nothingBefore: Before = { lines: 0, bytes: 0, last: 0, time: '', positions: {} }

const suffix = '.log'
const nameDigits = 16
const hash = 0x23
const newline = 0x0a
/** Small, since every reader that stands still holds so much. */
const readBytes = 32 * 1024
/** Positions of many one-offs may stand in it. */
const longestHeaderBytes = 4 * 1024 * 1024

export function segmentPath(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(nameDigits, '0')}${suffix}`)
}

/** The first line of a new file. */
export function headerOf(before: Before): Buffer {
  return Buffer.from(`#${JSON.stringify(before)}\n`)
}

/** Before each batch stands the number of its first line. */
export function markerOf(sequence: number): Buffer {
  return Buffer.from(`#${sequence}\n`)
}

/** The files of a log, oldest first; one whose first line a crash has torn holds nothing and goes. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = (await filesIn(directory)).filter((name) => name.endsWith(suffix)).sort()
  const segments: Segment[] = []
  for (const name of names) {
    const path = join(directory, name)
    const before = await readHeader(path)
    if (!before) await rm(path, { force: true })
    else segments.push({ path, first: Number(name.slice(0, -suffix.length)), before })
  }
  return segments
}

async function readHeader(path: string): Promise<Before | null> {
  await using file = await openIfThere(path)
  if (!file) return null
  for (let size = readBytes; size <= longestHeaderBytes; size *= 8) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0)
    const end = buffer.subarray(0, bytesRead).indexOf(newline)
    if (end !== -1) return JSON.parse(buffer.toString('utf8', 1, end)) as Before
  }
  return null
}

/** Hears each line of a file and its number, from a place in it on; false ends the reading before that line. */
export type HearLine = (line: Buffer, sequence: number) => boolean

export interface Place {
  offset: number
  /** The number of the line there. */
  next: number
}

/**
 * Reads one piece of a file, at most what one read gives and whole lines only.
 * @returns the place behind what was heard; the same place at the end, or when the first line was not wanted
 */
export async function readPiece(file: FileHandle, place: Place, hear: HearLine): Promise<Place> {
  for (let size = readBytes; ; size *= 8) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, place.offset)
    const { behind, isEnough } = hearLines(buffer.subarray(0, bytesRead), place, hear)
    // A line longer than the piece is read again in a larger one.
    if (isEnough || bytesRead < size) return behind
  }
}

/** Never ends behind a mark: a round that fails is taken off the file, mark and all. */
function hearLines(bytes: Buffer, place: Place, hear: HearLine): { behind: Place; isEnough: boolean } {
  let [behind, next, start] = [place, place.next, 0]
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
    if (bytes[start] === hash) {
      const marked = Number(bytes.toString('latin1', start + 1, end))
      if (Number.isSafeInteger(marked)) next = marked
    } else {
      if (!hear(bytes.subarray(start, end), next)) return { behind, isEnough: true }
      next++
      behind = { offset: place.offset + end + 1, next }
    }
    start = end + 1
  }
  return { behind, isEnough: behind !== place }
}

/** A crash in the middle of a write leaves half a line: it goes, and is copied again. Resolves to the size left. */
export async function cutTornLine(path: string): Promise<number> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  for (let end = size; end > 0; end -= readBytes) {
    const start = Math.max(0, end - readBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
    const last = buffer.subarray(0, bytesRead).lastIndexOf(newline)
    if (last === -1) continue
    const whole = start + last + 1
    if (whole < size) await truncate(path, whole)
    return whole
  }
  return 0
}

export async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The names in a directory; none when it is not there. */
export async function filesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
