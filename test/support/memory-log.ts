import { once, EventEmitter } from 'node:events'
import type { LogLine, LogQuery } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { isSameOwner, type Owner } from '../../src/domain/owner.ts'
import { parseLogPattern } from '../../src/domain/log-pattern.ts'

/** The lines of every process, kept after it is gone. */
export interface MemoryLog {
  append(line: Omit<LogLine, 'time' | 'cursor'>): void
  /** The last texts of one process. */
  last(processId: string, count: number): string[]
  read(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine>
  forget(owner: Owner): void
}

export function createMemoryLog(): MemoryLog {
  let lines: LogLine[] = []
  let count = 0
  const grown = new EventEmitter<{ line: [LogLine] }>().setMaxListeners(0)

  return {
    append(line) {
      const stamped = { ...line, time: new Date().toISOString(), cursor: String(++count) }
      lines.push(stamped)
      grown.emit('line', stamped)
    },
    last: (processId, count) =>
      lines
        .filter((line) => line.process === processId)
        .slice(-count)
        .map(({ text }) => text),
    async *read(query, signal) {
      const isWanted = matcher(query)
      let seen = query.after === undefined ? 0 : numberOf(query.after)
      const fresh = () => {
        const behind = lines.filter(({ cursor }) => Number(cursor) > seen)
        seen = count
        return behind.filter(isWanted)
      }
      const found = fresh()
      yield* found.slice(query.tail === undefined ? 0 : Math.max(0, found.length - query.tail))
      while (query.follow && !signal.aborted) {
        yield* fresh()
        if (seen === count) await grows(signal)
      }
    },
    forget(owner) {
      lines = lines.filter((line) => !isSameOwner(line.owner, owner))
    },
  }

  async function grows(signal: AbortSignal): Promise<void> {
    try {
      await once(grown, 'line', { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

function numberOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  throw new RackError('invalid', `"${cursor}" is no cursor of a log line`)
}

function matcher(query: LogQuery): (line: LogLine) => boolean {
  const pattern = query.grep === undefined ? { text: '' } : parseLogPattern(query.grep)
  const hasText = (text: string) =>
    'text' in pattern ? text.includes(pattern.text) : pattern.expression.test(text)
  return (line) =>
    (query.owner === undefined || isSameOwner(line.owner, query.owner)) &&
    (query.types === undefined || query.types.includes(line.type)) &&
    (query.process === undefined || query.process === line.process) &&
    (query.release === undefined || query.release === line.release) &&
    (query.since === undefined || Date.parse(line.time) >= Date.parse(query.since)) &&
    hasText(line.text)
}
