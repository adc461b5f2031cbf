import { EventEmitter, once } from 'node:events'
import type { Control, Progress } from '../domain/control.ts'
import { createLineSplitter } from '../lib/lines.ts'
import type { LogParts } from './log-parts.ts'

/** Logs of builds as NDJSON: written as the build runs, read from the start at any time. */
export interface BuildLogs {
  open(app: string, build: string): BuildLogWriter
  /** From the start; with `follow` until the build's writer closes. */
  read(app: string, build: string, options: { follow: boolean }, control: Control): AsyncIterable<Progress>
  /** Puts together what a dead writer has left in parts. Safe to repeat. */
  finish(app: string, build: string): Promise<void>
  remove(app: string, build: string): Promise<void>
}

export interface BuildLogWriter {
  write(progress: Progress): void
  /** Settles when all that was written is kept, or could not be: a build does not fail for its log. */
  close(): Promise<void>
}

/** A record is a line of output, which is cut much earlier, and what JSON makes of it. */
const largestRecordBytes = 16 * 1024 * 1024

/** @param troubled hears, once a build, why its log is not as it should be */
export function createBuildLogs(
  parts: LogParts,
  troubled: (build: string, error: unknown) => void = () => undefined,
): BuildLogs {
  const writing = new Map<string, EventEmitter>()
  const folderOf = (app: string, build: string) => `builds/${app}/${build}`

  return {
    open(app, build) {
      const folder = folderOf(app, build)
      const news = new EventEmitter().setMaxListeners(0)
      writing.set(folder, news)
      const writer = parts.write(folder, () => news.emit('news'))
      return {
        write: (progress) => writer.add(`${JSON.stringify(progress)}\n`),
        async close() {
          const failure = await writer.close()
          if (failure !== null) troubled(build, failure)
          writing.delete(folder)
          news.emit('news')
        },
      }
    },
    async *read(app, build, { follow }, control) {
      const folder = folderOf(app, build)
      let start = 0
      while (true) {
        const news = writing.get(folder)
        // Listens before it reads: what is written in between wakes it at once.
        const woken = news && follow ? once(news, 'news', { signal: control.signal }) : null
        woken?.catch(() => undefined)
        const from = start
        for await (const { progress, end } of readRecords(parts.read(folder, start), from)) {
          start = end
          if (progress) yield progress
        }
        if (start > from) continue
        if (!woken) return
        await woken
      }
    },
    finish: (app, build) => parts.merge(folderOf(app, build)),
    remove: (app, build) => parts.remove(folderOf(app, build)),
  }
}

/**
 * The whole records of a log, each with the place of its end. What a crash left of a record is passed over; the half
 * that is being written now is read when the rest has come.
 */
async function* readRecords(
  chunks: AsyncIterable<Uint8Array>,
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
