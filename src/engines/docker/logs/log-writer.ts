import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RackError } from '../../../domain/error.ts'
import type { LogBudget } from '../../../domain/parameter.ts'
import { writeFileAtomically } from '../../../lib/atomic-file.ts'
import type { Batch } from './batch.ts'
import { explainDisk, type TypeLog } from './type-log.ts'

/**
 * Writes the logs of a rack in rounds: all that waits, of all processes, then tells the readers. Every line gets a
 * number in the order of writing, by which a reader knows where it was.
 */
export interface LogWriter {
  /** Learns which numbers are taken; safe to repeat, and done by the first `append`. */
  start(): Promise<void>
  /**
   * Settles when the batch is in its file. Waits, before it is taken, while too much waits.
   * @throws disk-full; of a run of batches, those behind one that failed fail too
   */
  append(log: TypeLog, batch: Batch, run?: CopyRun): Promise<void>
  /** All lines up to this number can be read. */
  committed(): number
  /** Settles when what waits now is written, or has failed. */
  flush(): Promise<void>
  /** Settles at the next round whose lines can be read, or when the signal ends. */
  grows(beyond: number, signal: AbortSignal): Promise<void>
  /** Numbers that lines have already are not given again, whatever became of the file that remembers them. */
  raise(sequence: number): void
  /** Lets go of the files of logs, after what waits for them. */
  release(logs: Iterable<TypeLog>): Promise<void>
  close(): Promise<void>
}

/** Batches that make no sense without the ones before them. */
export interface CopyRun {
  hasFailed: boolean
}

export interface LogWriterOptions {
  /** Where the number is remembered. */
  directory: string
  budget: () => LogBudget
  /** Hears what goes wrong with a file that nobody waits for. */
  onTrouble: (error: unknown) => void
  /** Bytes that may wait to be written, of all processes together. */
  mostWaitingBytes?: number
}

/** Small writes are gathered for so long, unless somebody asks or there is much. */
const gatherMs = 20
const muchBytes = 128 * 1024
const defaultWaitingBytes = 8 * 1024 * 1024
const mostOpenFiles = 256
/** Numbers taken at once; a daemon that is killed leaves the rest unused. */
const numbersTaken = 2 ** 32
const mostLinesOfRound = 2 ** 30
/** Begins with a dot: beside it lie folders named for apps and services. */
const numberFile = '.next-number'

interface Waiting {
  log: TypeLog
  batch: Batch
  run: CopyRun
  done: PromiseWithResolvers<void>
}

/** Opens the writer of a rack's logs; nothing is touched before it is started. */
export function openLogWriter(options: LogWriterOptions): LogWriter {
  return new RoundWriter(options)
}

class RoundWriter implements LogWriter {
  readonly #options: LogWriterOptions
  readonly #open = new Set<TypeLog>()
  readonly #readers = new Set<() => void>()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #room = Promise.withResolvers<void>()
  #hurry = Promise.withResolvers<void>()
  #isWriting = false
  #writing: Promise<unknown> = Promise.resolve()
  #starting: Promise<void> | null = null
  #reserving: Promise<void> | null = null
  #next = 1
  #reserved = 0
  #committed = 0

  constructor(options: LogWriterOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#starting ??= this.#readNumber().catch((error: unknown) => {
      this.#starting = null
      throw error
    })
    await this.#starting
  }

  async append(log: TypeLog, batch: Batch, run: CopyRun = { hasFailed: false }): Promise<void> {
    await this.start()
    const most = this.#options.mostWaitingBytes ?? defaultWaitingBytes
    while (this.#waitingBytes > 0 && this.#waitingBytes + batch.bytes.length > most) await this.#room.promise
    this.#waitingBytes += batch.bytes.length
    const done = Promise.withResolvers<void>()
    this.#waiting.push({ log, batch, run, done })
    if (this.#waitingBytes >= muchBytes) this.#hurry.resolve()
    if (!this.#isWriting) void this.#writeRounds()
    await done.promise
  }

  committed(): number {
    return this.#committed
  }

  async flush(): Promise<void> {
    this.#hurry.resolve()
    await Promise.allSettled([this.#writing, ...this.#waiting.map(({ done }) => done.promise)])
  }

  async grows(beyond: number, signal: AbortSignal): Promise<void> {
    if (this.#committed > beyond || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = () => resolve()
    this.#readers.add(end)
    signal.addEventListener('abort', end, { once: true })
    await promise
    this.#readers.delete(end)
    signal.removeEventListener('abort', end)
  }

  raise(sequence: number): void {
    this.#next = Math.max(this.#next, sequence + 1)
    this.#committed = Math.max(this.#committed, sequence)
  }

  async release(logs: Iterable<TypeLog>): Promise<void> {
    await this.flush()
    for (const log of logs) {
      this.#open.delete(log)
      await log.release()
    }
  }

  async close(): Promise<void> {
    await this.release([...this.#open])
  }

  /** Never rejects: what fails is told to who waits for it. */
  async #writeRounds(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      await this.#gather()
      const round = this.#waiting
      this.#waiting = []
      this.#hurry = Promise.withResolvers()
      this.#writing = this.#write(round)
      await this.#writing
      this.#waitingBytes -= round.reduce((sum, { batch }) => sum + batch.bytes.length, 0)
      this.#room.resolve()
      this.#room = Promise.withResolvers()
    }
    this.#isWriting = false
  }

  async #gather(): Promise<void> {
    const timer = setTimeout(() => this.#hurry.resolve(), gatherMs)
    await this.#hurry.promise
    clearTimeout(timer)
  }

  /** Each log by itself: what ails one does not keep the others. */
  async #write(round: Waiting[]): Promise<void> {
    const logs = [...Map.groupBy(round, ({ log }) => log)]
    await Promise.all(logs.map(([log, parts]) => this.#writeLog(log, parts)))
    this.#committed = this.#next - 1
    for (const wake of this.#readers) wake()
    await this.#closeLongest()
  }

  async #writeLog(log: TypeLog, parts: Waiting[]): Promise<void> {
    try {
      await log.load()
      this.raise(log.kept().last)
      await this.#reserve()
      const good = parts.filter(({ run }) => !run.hasFailed)
      const first = this.#next
      this.#next += good.reduce((sum, { batch }) => sum + batch.lines, 0)
      this.#open.delete(log)
      this.#open.add(log)
      const batches = good.map(({ batch }) => batch)
      if (good.length > 0) await log.write(batches, first, this.#options.budget())
      for (const { run, done } of parts) {
        if (run.hasFailed) done.reject(brokenRun())
        else done.resolve()
      }
    } catch (error) {
      for (const { run, done } of parts) {
        run.hasFailed = true
        done.reject(explainDisk(error))
      }
    }
  }

  async #closeLongest(): Promise<void> {
    for (const log of this.#open) {
      if (this.#open.size <= mostOpenFiles) return
      this.#open.delete(log)
      await log.release().catch(this.#options.onTrouble)
    }
  }

  async #readNumber(): Promise<void> {
    try {
      const reserved = Number(await readFile(this.#path(), 'utf8'))
      if (Number.isSafeInteger(reserved)) this.raise(reserved)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** Takes a range of numbers, so that the next daemon begins behind it. */
  async #reserve(): Promise<void> {
    while (this.#next + mostLinesOfRound > this.#reserved) {
      this.#reserving ??= this.#takeNumbers().finally(() => (this.#reserving = null))
      await this.#reserving
    }
  }

  async #takeNumbers(): Promise<void> {
    const end = this.#next + numbersTaken
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 })
    await writeFileAtomically(this.#path(), String(end), { mode: 0o600 })
    this.#reserved = end
  }

  #path(): string {
    return join(this.#options.directory, numberFile)
  }
}

function brokenRun(): RackError {
  return new RackError('internal', 'the lines before these could not be written')
}
