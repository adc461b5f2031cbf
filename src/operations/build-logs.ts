import { EventEmitter, once } from 'node:events'
import type { Control, Progress } from '../domain/control.ts'
import type { Objects } from '../domain/objects.ts'
import { readLines } from '../lib/lines.ts'

/** Logs of builds as NDJSON objects: written as the build runs, read from the start at any time. */
export interface BuildLogs {
  open(app: string, build: string): BuildLogWriter
  /** From the start; with `follow` until the build's writer closes. */
  read(app: string, build: string, options: { follow: boolean }, control: Control): AsyncIterable<Progress>
  remove(app: string, build: string): Promise<void>
}

export interface BuildLogWriter {
  write(progress: Progress): void
  /** Settles when all that was written is kept. */
  close(): Promise<void>
}

export function createBuildLogs(objects: Objects): BuildLogs {
  const writing = new Map<string, EventEmitter>()
  const keyOf = (app: string, build: string) => `builds/${app}/${build}.ndjson`

  return {
    open(app, build) {
      const key = keyOf(app, build)
      const news = new EventEmitter().setMaxListeners(0)
      writing.set(key, news)
      const flusher = createFlusher(
        (text) => objects.append(key, Buffer.from(text)),
        () => news.emit('news'),
      )
      return {
        write: (progress) => flusher.add(`${JSON.stringify(progress)}\n`),
        async close() {
          await flusher.close()
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
        const size = (await objects.size(key)) ?? 0
        if (size > start) {
          const chunks = countBytes(objects.get(key, { start }), (bytes) => (start += bytes))
          for await (const line of readLines(chunks)) yield JSON.parse(line) as Progress
          continue
        }
        if (!woken) return
        await woken
      }
    },
    remove: (app, build) => objects.remove(keyOf(app, build)),
  }
}

async function* countBytes(
  chunks: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.byteLength)
    yield chunk
  }
}

/** Gathers lines while the previous append is under way, so a chatty build costs few writes. */
function createFlusher(append: (text: string) => Promise<void>, flushed: () => void) {
  let pending = ''
  let flushing: Promise<void> | null = null

  const flush = async (): Promise<void> => {
    while (pending !== '') {
      const text = pending
      pending = ''
      await append(text)
      flushed()
    }
  }
  const start = () => {
    flushing ??= flush().finally(() => (flushing = null))
    return flushing
  }
  let failure: unknown = null
  return {
    add(line: string) {
      pending += line
      start().catch((error: unknown) => (failure = error))
    },
    async close() {
      await start()
      if (failure instanceof Error) throw failure
    },
  }
}
