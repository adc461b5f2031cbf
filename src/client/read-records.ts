import { RackError } from '../domain/error.ts'
import type { Problem } from './contract/problem.ts'

/** A line of NDJSON; `ping` stands for an empty one, which only says that the rack is still there. */
export type WireRecord = { type: 'log' | 'phase' | 'result' | 'ping' } | { type: 'error'; error: Problem }

const largestRecord = 16 * 1024 * 1024

/** Cuts a body into records. @throws unreachable for what is no NDJSON */
export async function* readRecords(
  url: URL,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<WireRecord, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield parseRecord(url, line)
    if (rest.length > largestRecord) throw garbled(url)
  }
  // Bytes after the last newline are half a line: the reader sees an answer without an end.
}

function parseRecord(url: URL, line: string): WireRecord {
  if (line.trim() === '') return { type: 'ping' }
  try {
    return JSON.parse(line) as WireRecord
  } catch (cause) {
    throw garbled(url, cause)
  }
}

function garbled(url: URL, cause?: unknown): RackError {
  return new RackError('unreachable', `${url.host} answered with something that is not NDJSON`, { cause })
}
