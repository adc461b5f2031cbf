import { EventEmitter, once } from 'node:events'
import type { Control, Progress } from '../domain/control.ts'
import type { Objects } from '../domain/objects.ts'
import { createLineSplitter } from '../lib/lines.ts'

/** Logs of builds as NDJSON objects: written as the build runs, read from the start at any time. */
export interface BuildLogs {
  open(app: string, build: string): BuildLogWriter
  /** From the start; with `follow` until the build's writer closes. */
  read(app: string, build: string, options: { follow: boolean }, control: Control): AsyncIterable<Progress>
  remove(app: string, build: string): Promise<void>
}

export interface BuildLogWriter {
  write(progress: Progress): void
  /** Settles when all that was written is kept, or could not be: a build does not fail for its log. */
  close(): Promise<void>
}

/** An append that is slow or hangs must not fill the memory. */
const mostPendingBytes = 8 * 1024 * 1024
/** A record is a line of output, which is cut much earlier, and what JSON makes of it. */
const largestRecordBytes = 16 * 1024 * 1024

/** @param lost hears, once a build, why part of its log is not kept */
export function createBuildLogs(
  objects: Objects,
  lost: (build: string, error: unknown) => void = () => undefined,
): BuildLogs {
  const writing = new Map<string, EventEmitter>()
  const keyOf = (app: string, build: string) => `builds/${app}/${build}.ndjson`

  return {
    open(app, build) {
      const key = keyOf(app, build)
      const news = new EventEmitter().setMaxListeners(0)
      writing.set(key, news)
      const flusher = createFlusher(async (text) => {
        await objects.append(key, Buffer.from(text))
        news.emit('news')
      })
      return {
        write: (progress) => flusher.add(`${JSON.stringify(progress)}\n`),
        async close() {
          const failure = await flusher.close()
          if (failure !== null) lost(build, failure)
          writing.delete(key)
          news.emit('news')
        },
      }
    },
    async *read(app, build, { follow }, control) {
      const key = keyOf(app, build)
      let start = 0
      while (true) {
        const news = writing.get(key)
        // Listens before it reads: what is appended in between wakes it at once.
        const woken = news && follow ? once(news, 'news', { signal: control.signal }) : null
        woken?.catch(() => undefined)
        const from = start
        const isThere = ((await objects.size(key)) ?? 0) > start
        const chunks = isThere ? objects.get(key, { start }) : []
        for await (const { progress, end } of readRecords(chunks, from)) {
          start = end
          if (progress) yield progress
        }
        if (start > from) continue
        if (!woken) return
        await woken
      }
    },
    remove: (app, build) => objects.remove(keyOf(app, build)),
  }
}

/**
 * The whole records of a log, each with the place of its end. What a crash left of a record is passed over; the half
 * that is being written now is read when the rest has come.
 */
async function* readRecords(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  start: number,
): AsyncIterable<{ progress: Progress | null; end: number }> {
  const splitter = createLineSplitter(largestRecordBytes)
  let end = start
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) {
      end += Buffer.byteLength(line) + 1
      yield { progress: parseRecord(line), end }
    }
  }
}

function parseRecord(line: string): Progress | null {
  try {
    return JSON.parse(line) as Progress
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Gathers lines while the previous append is under way, so a chatty build costs few writes. */
function createFlusher(append: (text: string) => Promise<void>) {
  let pending = ''
  let failure: unknown = null
  let flushing: Promise<void> | null = null

  const flush = async (): Promise<void> => {
    while (pending !== '') {
      const text = pending
      pending = ''
      try {
        await append(text)
      } catch (error) {
        failure ??= error
      }
    }
    flushing = null
  }
  return {
    add(line: string) {
      if (pending.length + line.length > mostPendingBytes) failure ??= new Error('the log came too fast')
      else pending += line
      if (pending !== '') flushing ??= flush()
    },
    /** Why something is not kept, or null. */
    async close(): Promise<unknown> {
      await flushing
      return failure
    },
  }
}
