import type { FastifyReply } from 'fastify'
import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Progress } from '../domain/control.ts'

/** Writes NDJSON; the head of the response goes out with the first record, so that an early failure keeps its status. */
export interface RecordStream {
  readonly isOpen: boolean
  /** Never waits: a reader who is far behind misses log lines, and is told how many. */
  report(progress: Progress): void
  /** Settles when another record may follow; at once when the client is gone. */
  write(record: object): Promise<void>
  end(): void
}

/** While nothing is said, an empty line after each of these shows that the rack is still there. */
const heartbeatMs = 15_000
const highWaterBytes = 8 * 1024 * 1024

export function openRecordStream(reply: FastifyReply, signal: AbortSignal): RecordStream {
  const { raw } = reply
  let isOpen = false
  let missed = 0

  const push = (line: string) => {
    if (!isOpen) {
      isOpen = true
      reply.hijack()
      const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' }
      raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers })
    }
    heartbeat.refresh()
    if (!raw.destroyed) raw.write(line)
  }
  const heartbeat = setInterval(() => push('\n'), heartbeatMs)
  raw.once('close', () => clearInterval(heartbeat))

  const send = (record: object) => push(`${JSON.stringify(record)}\n`)
  const tellMissed = () => {
    if (missed === 0) return
    const text = `… ${missed} lines are left out here, because they came faster than they were read`
    missed = 0
    send({ type: 'log', text, time: new Date().toISOString() } satisfies Progress)
  }

  return {
    get isOpen() {
      return isOpen
    },
    report(progress) {
      if (progress.type === 'log' && raw.writableLength > highWaterBytes) {
        missed++
        return
      }
      tellMissed()
      send(progress)
    },
    async write(record) {
      send(record)
      if (raw.writableNeedDrain && !signal.aborted) await drained(raw, signal)
    },
    end() {
      clearInterval(heartbeat)
      if (isOpen) raw.end()
    },
  }
}

async function drained(raw: FastifyReply['raw'], signal: AbortSignal): Promise<void> {
  try {
    await once(raw, 'drain', { signal })
  } catch (error) {
    // The client is gone: there is nothing to wait for.
    if (!signal.aborted) throw error
  }
}
