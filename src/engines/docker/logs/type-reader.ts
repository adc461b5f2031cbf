import { readEntry, type Entry } from './batch.ts'
import { openIfThere, readPiece, type Place, type Segment } from './segment.ts'
import type { TypeLog } from './type-log.ts'

/**
 * Reads the log of one type on from where it was, a piece at a time, from the files themselves: a reader that stands
 * still costs nothing but its place. Where files went before it had read them, an entry says how many lines.
 */
export interface TypeReader {
  log: TypeLog
  /** The next entries up to a number; null when there are none. */
  read(until: number): Promise<Entry[] | null>
}

/** Begins behind a number; lines older than `sinceTime` may be passed over by whole files. */
export function openTypeReader(log: TypeLog, behind: number, sinceTime: string | null): TypeReader {
  return new FileTypeReader(log, behind, sinceTime)
}

class FileTypeReader implements TypeReader {
  readonly log: TypeLog
  readonly #sinceTime: string | null
  #behind: number
  #segment: Segment | null = null
  #place: Place = { offset: 0, next: 0 }
  /** Lines of the log up to the place. */
  #lines = 0

  constructor(log: TypeLog, behind: number, sinceTime: string | null) {
    this.log = log
    this.#behind = behind
    this.#sinceTime = sinceTime
  }

  async read(until: number): Promise<Entry[] | null> {
    if (this.log.kept().last <= this.#behind || this.#behind >= until) return null
    for (;;) {
      const gap = this.#segment ? null : this.#enter(this.#first())
      if (gap) return [gap]
      if (!this.#segment) return null
      const entries = await this.#readPiece(until)
      if (entries.length > 0) return entries
      const next = this.log.segments().find(({ first }) => first > this.#segment!.first)
      if (!next || next.first > until) return null
      const missing = this.#enter(next)
      if (missing) return [missing]
    }
  }

  /** The newest file that begins no later than what is asked for. */
  #first(): Segment | null {
    const segments = this.log.segments()
    const since = this.#sinceTime
    const isBefore = ({ first, before }: Segment) =>
      first <= this.#behind + 1 || (since !== null && before.time !== '' && before.time < since)
    return segments.findLast((segment) => isBefore(segment)) ?? segments[0] ?? null
  }

  /** Goes to the beginning of a file; gives what is to be said of the lines before it, which are no more. */
  #enter(segment: Segment | null): Entry | null {
    if (!segment) return null
    const { first, before } = segment
    const missing = this.#segment ? before.lines - this.#lines : null
    const isMissing = missing === null ? this.#isOvertaken(segment) : missing > 0
    this.#segment = segment
    this.#place = { offset: 0, next: first }
    this.#lines = before.lines
    if (!isMissing) return null
    this.#behind = Math.max(this.#behind, before.last)
    const text = `… ${missing ?? 'some'} lines of ${this.log.type} are left out here: they were dropped to make room before they were read`
    return { sequence: before.last, time: before.time, process: '', release: '', stream: 'rack', text }
  }

  /** Somebody who was here before comes back too late; who asks for all gets what there is. */
  #isOvertaken({ before }: Segment): boolean {
    const since = this.#sinceTime
    const isWanted = since === null || before.time >= since
    return this.#behind > 0 && before.last > this.#behind && isWanted
  }

  async #readPiece(until: number): Promise<Entry[]> {
    // Not kept open: a reader that stands still would keep the room of a file that is dropped.
    await using file = await openIfThere(this.#segment!.path)
    if (!file) return []
    const entries: Entry[] = []
    const hear = (line: Buffer, sequence: number) => {
      if (sequence > until) return false
      this.#lines++
      if (sequence <= this.#behind) return true
      const entry = readEntry(line, sequence)
      if (entry) entries.push(entry)
      return true
    }
    for (let at = -1; entries.length === 0 && this.#place.offset !== at;) {
      at = this.#place.offset
      this.#place = await readPiece(file, this.#place, hear)
    }
    this.#behind = entries.at(-1)?.sequence ?? this.#behind
    return entries
  }
}
