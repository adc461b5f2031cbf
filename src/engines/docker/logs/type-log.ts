import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { RackError } from '../../../domain/error.ts'
import { ownerText, type Owner } from '../../../domain/owner.ts'
import type { LogBudget } from '../../../domain/parameter.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { laterPosition, readEntry, type Batch, type Position } from './batch.ts'
import {
  cutTornLine,
  headerOf,
  listSegments,
  markerOf,
  nothingBefore,
  openIfThere,
  readPiece,
  segmentPath,
  type Before,
  type Segment,
} from './segment.ts'

/** The kept log of one process type. Only the writer writes it, one round after the other. */
export interface TypeLog {
  owner: Owner
  type: string
  /** Mends what a crash left, and learns how far each process's log is copied. Safe to repeat. */
  load(): Promise<void>
  /** Oldest first; the last one grows. */
  segments(): readonly Segment[]
  /** All that was kept so far, of what has gone again too. */
  kept(): Before
  position(processId: string): Position | null
  /** Its position is not carried into the next file. */
  forget(processId: string): void
  /** Appends batches whose lines are numbered from `first` on: all of it, or nothing. @throws disk-full */
  write(batches: Batch[], first: number, budget: LogBudget): Promise<void>
  /** Drops what is beyond the budget. */
  prune(budget: LogBudget, nowMs: number): Promise<void>
  /** Refuses to write from now on: its files go. */
  discard(): void
  /** Lets go of its file, until it is written again. */
  release(): Promise<void>
}

export interface TypeLogOptions {
  directory: string
  owner: Owner
  type: string
}

/** Files a log is cut into: dropping the oldest gives back this part of the budget. */
const segmentsPerBudget = 8
const smallestSegmentBytes = 4096
/** Of processes that ended while no daemon ran; those of the newest are carried on. */
const mostPositions = 2000

/** Opens the kept log of a type; nothing is read or written before it is loaded. */
export function openTypeLog(options: TypeLogOptions): TypeLog {
  return new FileTypeLog(options)
}

class FileTypeLog implements TypeLog {
  readonly owner: Owner
  readonly type: string
  readonly #directory: string
  readonly #ended = new Set<string>()
  readonly #turn = createSemaphore(1)
  #isDiscarded = false
  #segments: Segment[] = []
  #kept: Before = structuredClone(nothingBefore)
  #file: FileHandle | null = null
  /** Of the newest segment. */
  #size = 0
  #loading: Promise<void> | null = null

  constructor({ directory, owner, type }: TypeLogOptions) {
    this.#directory = directory
    this.owner = owner
    this.type = type
  }

  async load(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null
      throw explainDisk(error)
    })
    await this.#loading
  }

  segments(): readonly Segment[] {
    return this.#segments
  }

  kept(): Before {
    return this.#kept
  }

  position(processId: string): Position | null {
    return this.#kept.positions[processId] ?? null
  }

  forget(processId: string): void {
    this.#ended.add(processId)
  }

  async write(batches: Batch[], first: number, budget: LogBudget): Promise<void> {
    await this.load()
    using _turn = await this.#turn.acquire()
    if (this.#isDiscarded) throw new RackError('not-found', `the log of ${ownerText(this.owner)} was dropped`)
    try {
      if (this.#isFull(budget)) await this.#roll(first)
      const parts = [markerOf(first), ...batches.map(({ bytes }) => bytes)]
      await this.#append(parts)
      for (const batch of batches) this.#count(batch)
      this.#kept.last = first + batches.reduce((sum, { lines }) => sum + lines, 0) - 1
      await this.#dropOldest(({ before }) => this.#kept.bytes - before.bytes > budget.bytes)
    } catch (error) {
      throw explainDisk(error)
    }
  }

  async prune(budget: LogBudget, nowMs: number): Promise<void> {
    await this.load()
    using _turn = await this.#turn.acquire()
    if (budget.ageMs === null || this.#isDiscarded) return
    const from = new Date(nowMs - budget.ageMs).toISOString()
    const newest = this.#segments.at(-1)
    const hasLines = newest !== undefined && this.#kept.lines > newest.before.lines
    if (hasLines && this.#kept.time < from) await this.#roll(this.#kept.last + 1)
    await this.#dropOldest((_segment, next) => next.before.time < from)
  }

  discard(): void {
    this.#isDiscarded = true
  }

  async release(): Promise<void> {
    using _turn = await this.#turn.acquire()
    await this.#closeFile()
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }

  async #load(): Promise<void> {
    this.#segments = await listSegments(this.#directory)
    const newest = this.#segments.at(-1)
    if (!newest) return
    this.#kept = structuredClone(newest.before)
    this.#size = await cutTornLine(newest.path)
    await this.#scan(newest)
  }

  /** Only the newest file is read: the others are told of in its first line. */
  async #scan({ path, first }: Segment): Promise<void> {
    await using file = await openIfThere(path)
    if (!file) return
    const hear = (line: Buffer, sequence: number) => {
      const entry = readEntry(line, sequence)
      const newest = entry && entry.stream !== 'rack' ? { time: entry.time, count: 1 } : null
      const bytes = { length: line.length + 1 }
      this.#count({ process: entry?.process ?? '', bytes, lines: 1, newest })
      this.#kept.last = sequence
      return true
    }
    let place = { offset: 0, next: first }
    for (let at = -1; place.offset !== at;) {
      at = place.offset
      place = await readPiece(file, place, hear)
    }
  }

  #count(batch: Omit<Batch, 'bytes'> & { bytes: { length: number } }): void {
    const { bytes, lines, newest } = batch
    const kept = this.#kept
    kept.lines += lines
    kept.bytes += bytes.length
    if (!newest) return
    kept.positions[batch.process] = laterPosition(kept.positions[batch.process], newest)
    if (newest.time > kept.time) kept.time = newest.time
  }

  #isFull(budget: LogBudget): boolean {
    const newest = this.#segments.at(-1)
    if (!newest || this.#size === 0) return true
    if (this.#kept.bytes - newest.before.bytes >= segmentBytes(budget)) return true
    if (budget.ageMs === null || newest.before.time === '') return false
    const span = Date.parse(this.#kept.time) - Date.parse(newest.before.time)
    return span > budget.ageMs / segmentsPerBudget
  }

  /** Begins a new file, whose first line carries on what the others would tell. */
  async #roll(first: number): Promise<void> {
    for (const processId of this.#ended) delete this.#kept.positions[processId]
    this.#ended.clear()
    this.#kept.positions = newestPositions(this.#kept.positions)
    const before = structuredClone(this.#kept)
    const path = segmentPath(this.#directory, first)
    await this.#closeFile()
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const header = headerOf(before)
    await using file = await open(path, 'w', 0o600)
    try {
      await file.appendFile(header)
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    this.#segments.push({ path, first, before })
    this.#size = header.length
  }

  async #append(parts: Buffer[]): Promise<void> {
    const newest = this.#segments.at(-1)!
    this.#file ??= await open(newest.path, 'a', 0o600)
    try {
      await this.#file.appendFile(Buffer.concat(parts))
      this.#size += parts.reduce((sum, { length }) => sum + length, 0)
    } catch (error) {
      // A disk that is full in the middle has taken a part: it is tried again as a whole.
      await this.#file.truncate(this.#size)
      throw error
    }
  }

  async #dropOldest(isBeyond: (segment: Segment, next: Segment) => boolean): Promise<void> {
    while (this.#segments.length > 1) {
      const [oldest, next] = this.#segments as [Segment, Segment]
      if (!isBeyond(oldest, next)) return
      this.#segments = this.#segments.slice(1)
      await rm(oldest.path, { force: true })
    }
  }
}

function segmentBytes({ bytes }: LogBudget): number {
  return Math.max(smallestSegmentBytes, bytes / segmentsPerBudget)
}

function newestPositions(positions: Before['positions']): Before['positions'] {
  const all = Object.entries(positions)
  if (all.length <= mostPositions) return positions
  const newest = all.toSorted(([, a], [, b]) => (a.time < b.time ? 1 : -1)).slice(0, mostPositions)
  return Object.fromEntries(newest)
}

/** What the person is told when the disk is full; every other error is as it was. */
export function explainDisk(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error
  return new RackError('disk-full', "the disk that holds the rack's logs is full", {
    hint: 'Make room on the disk that holds the rack directory.',
    cause: error,
  })
}
