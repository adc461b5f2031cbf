import { once, EventEmitter } from 'node:events'
import type { LogLine, LogQuery } from '../../src/domain/engine.ts'

/** The lines of every process, kept after it is gone. */
export interface MemoryLog {
  append(line: Omit<LogLine, 'time'>): void
  /** The last texts of one process. */
  last(process: string, count: number): string[]
  read(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine>
  forget(app: string): void
}

export function createMemoryLog(): MemoryLog {
  let lines: LogLine[] = []
  const grown = new EventEmitter<{ line: [LogLine] }>().setMaxListeners(0)

  return {
    append(line) {
      const stamped = { ...line, time: new Date().toISOString() }
      lines.push(stamped)
      grown.emit('line', stamped)
    },
    last: (process, count) =>
      lines
        .filter((line) => line.process === process)
        .slice(-count)
        .map(({ text }) => text),
    async *read(query, signal) {
      const newest = lines.at(-1)
      const matching = lines.filter((line) => matches(query, line))
      yield* matching.slice(query.tail === undefined ? 0 : Math.max(0, matching.length - query.tail))
      if (query.follow) yield* follow(query, newest, signal)
    },
    forget(app) {
      lines = lines.filter((line) => line.app !== app)
    },
  }

  async function* follow(query: LogQuery, after: LogLine | undefined, signal: AbortSignal) {
    let seen = after
    while (!signal.aborted) {
      const fresh = lines.slice(seen === undefined ? 0 : lines.lastIndexOf(seen) + 1)
      seen = fresh.at(-1) ?? seen
      yield* fresh.filter((line) => matches(query, line))
      if (fresh.length === 0) await grows(signal)
    }
  }

  async function grows(signal: AbortSignal): Promise<void> {
    try {
      await once(grown, 'line', { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

function matches(query: LogQuery, line: LogLine): boolean {
  return (
    line.app === query.app &&
    (query.types === undefined || query.types.includes(line.type)) &&
    (query.process === undefined || query.process === line.process) &&
    (query.since === undefined || Date.parse(line.time) >= Date.parse(query.since))
  )
}
