import { mkdir, open, rename, stat, truncate, type FileHandle } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import type { LogLine } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { readLines } from '../../../lib/lines.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'

/** How far a process's log is copied: the newest time, and how many lines have it. */
export interface Position {
  time: string
  count: number
}

/** The kept log of one process type: two files at most, the older one with the suffix `.1`. */
export interface TypeLog {
  /** Queues lines for the file and tells listeners; settles when they are written. */
  append(lines: LogLine[]): Promise<void>
  position(process: string): Promise<Position | null>
  forget(process: string): void
  /** Calls back for each later line, until the function that it returns is called. */
  listen(listener: (line: LogLine) => void): () => void
  /** What is kept now; from the same moment on, `listen` hears of what comes. */
  read(listen?: (line: LogLine) => void): Promise<{ lines: AsyncIterable<LogLine>; stop(): void }>
}

export interface TypeLogOptions {
  path: string
  app: string
  type: string
  /** Of both files together. */
  maxBytes: number
}

/** Opens the kept log of a type; nothing is read or written before it is used. */
export function openTypeLog(options: TypeLogOptions): TypeLog {
  return new FileTypeLog(options)
}

class FileTypeLog implements TypeLog {
  readonly #options: TypeLogOptions
  readonly #lock = createSemaphore(1)
  readonly #listeners = new Set<(line: LogLine) => void>()
  #positions: Promise<Map<string, Position>> | null = null
  #queue: LogLine[] = []
  #flushing: Promise<void> = Promise.resolve()
  /** Bytes queued or written since the object was made, and where the present file begins among them. */
  #queuedBytes = 0
  #fileStart = 0

  constructor(options: TypeLogOptions) {
    this.#options = options
  }

  async append(lines: LogLine[]): Promise<void> {
    const positions = await this.#load()
    for (const line of lines) {
      this.#queue.push(line)
      this.#queuedBytes += byteLength(line)
      advance(positions, line)
      for (const listener of this.#listeners) listener(line)
    }
    await this.#flush()
  }

  async position(process: string): Promise<Position | null> {
    return (await this.#load()).get(process) ?? null
  }

  forget(process: string): void {
    void this.#positions?.then((positions) => positions.delete(process))
  }

  async read(listen?: (line: LogLine) => void): Promise<{ lines: AsyncIterable<LogLine>; stop(): void }> {
    await this.#load()
    // In one go without a wait: a line is either before this point, in the file, or after it, heard.
    const until = this.#queuedBytes
    return { lines: this.#readUntil(until), stop: listen ? this.listen(listen) : () => undefined }
  }

  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async *#readUntil(until: number): AsyncGenerator<LogLine> {
    await this.#flushForReader()
    const files = await this.#lock.run(() => this.#openBoth(until))
    try {
      for (const { file, bytes } of files) {
        if (bytes <= 0) continue
        const source = file.createReadStream({ start: 0, end: bytes - 1, autoClose: false })
        for await (const text of readLines(source, 1024 * 1024)) {
          const line = parseLine(text, this.#options)
          if (line) yield line
        }
      }
    } finally {
      for (const { file } of files) await file.close()
    }
  }

  async #openBoth(until: number): Promise<{ file: FileHandle; bytes: number }[]> {
    const { path } = this.#options
    const files: { file: FileHandle; bytes: number }[] = []
    const older = await openIfThere(`${path}.1`)
    if (older) {
      const { size } = await older.stat()
      // It ends where the present file begins, unless the files were turned over after the reader began.
      files.push({ file: older, bytes: Math.min(size, until - this.#fileStart + size) })
    }
    const newer = await openIfThere(path)
    if (newer)
      files.push({ file: newer, bytes: Math.min((await newer.stat()).size, until - this.#fileStart) })
    return files
  }

  /** Mends the end of the file after a crash, and learns how far each process's log is copied. */
  async #load(): Promise<Map<string, Position>> {
    this.#positions ??= this.#scan().catch((error: unknown) => {
      this.#positions = null
      throw translate(error)
    })
    return await this.#positions
  }

  async #scan(): Promise<Map<string, Position>> {
    const { path } = this.#options
    const positions = new Map<string, Position>()
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const size = await cutTornLine(path)
    this.#queuedBytes += size
    for (const file of [`${path}.1`, path]) {
      if (!(await sizeOf(file))) continue
      for await (const text of readLines(createReadStream(file), 1024 * 1024)) {
        const line = parseLine(text, this.#options)
        if (line) advance(positions, line)
      }
    }
    return positions
  }

  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(
      () => this.#writeQueue(),
      () => this.#writeQueue(),
    )
    return this.#flushing
  }

  /** A full disk keeps what it has taken: that can be read. */
  async #flushForReader(): Promise<void> {
    try {
      await this.#flush()
    } catch (error) {
      if (!(error instanceof RackError && error.code === 'disk-full')) throw error
    }
  }

  async #writeQueue(): Promise<void> {
    const lines = this.#queue
    if (lines.length === 0) return
    this.#queue = []
    await this.#lock.run(async () => {
      try {
        await this.#rotate()
        await appendWhole(this.#options.path, lines.map(formatLine).join(''))
      } catch (error) {
        this.#queue = [...lines, ...this.#queue]
        throw translate(error)
      }
    })
  }

  async #rotate(): Promise<void> {
    const { path, maxBytes } = this.#options
    const size = await sizeOf(path)
    if (size < maxBytes / 2) return
    await rename(path, `${path}.1`)
    this.#fileStart += size
  }
}

/** All of it or, when the disk is full in the middle, nothing: it is tried again. */
async function appendWhole(path: string, text: string): Promise<void> {
  await using file = await open(path, 'a', 0o600)
  const { size } = await file.stat()
  try {
    await file.appendFile(text)
  } catch (error) {
    await file.truncate(size)
    throw error
  }
}

/** `time process release stream text`, with tabs between. */
function formatLine({ time, process, release, stream, text }: LogLine): string {
  return `${time}\t${process}\t${release}\t${stream === 'stderr' ? 'e' : 'o'}\t${text.replaceAll('\n', ' ')}\n`
}

function byteLength(line: LogLine): number {
  return Buffer.byteLength(formatLine(line))
}

function parseLine(text: string, { app, type }: { app: string; type: string }): LogLine | null {
  const [time, process, release, stream] = text.split('\t', 4)
  if (!time || !process || release === undefined || stream === undefined) return null
  const start = time.length + process.length + release.length + stream.length + 4
  return {
    time,
    app,
    type,
    process,
    release,
    stream: stream === 'e' ? 'stderr' : 'stdout',
    text: text.slice(start),
  }
}

function advance(positions: Map<string, Position>, { process, time }: LogLine): void {
  const known = positions.get(process)
  if (known && known.time > time) return
  positions.set(process, { time, count: known?.time === time ? known.count + 1 : 1 })
}

/** A crash in the middle of a write leaves half a line: it goes, and is copied again. */
async function cutTornLine(path: string): Promise<number> {
  await using file = await openIfThere(path)
  if (!file) return 0
  const { size } = await file.stat()
  const step = 64 * 1024
  for (let end = size; end > 0; end -= step) {
    const start = Math.max(0, end - step)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(0x0a)
    if (newline === -1) continue
    const whole = start + newline + 1
    if (whole < size) await truncate(path, whole)
    return whole
  }
  if (size > 0) await truncate(path, 0)
  return 0
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function translate(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error
  return new RackError('disk-full', "the disk that holds the rack's logs is full", {
    hint: 'Make room on the disk that holds the rack directory.',
    cause: error,
  })
}
