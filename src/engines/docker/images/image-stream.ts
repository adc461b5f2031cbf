import type { IncomingMessage } from 'node:http'
import { RackError } from '../../../domain/error.ts'
import { withDeadline } from '../../../lib/deadline.ts'
import { readLines } from '../../../lib/lines.ts'
import { errorOfConnection } from '../errors.ts'

/** One line of a build's or a pull's progress. */
export interface ImageMessage {
  /** `moby.buildkit.trace`, `moby.image.id`, or a layer. */
  id?: string
  status?: string
  stream?: string
  aux?: unknown
  error?: string
  errorDetail?: { code?: number; message?: string }
}

/** A trace message holds what was written since the last one: far longer than a line of a log. */
const longestMessageBytes = 32 * 1024 * 1024

/**
 * The messages of a build or pull as they come. That the loop ends well does not say that the work did: look for
 * `error`.
 *
 * @param patienceMs for each message; null waits without end
 */
export async function* readImageStream(
  response: IncomingMessage,
  what: string,
  { signal, patienceMs = null }: { signal: AbortSignal; patienceMs?: number | null },
): AsyncGenerator<ImageMessage> {
  const lines = readLines(response, longestMessageBytes)
  try {
    for (;;) {
      const next =
        patienceMs === null
          ? await lines.next()
          : await withDeadline({ deadlineMs: patienceMs, what, signal }, () => lines.next())
      if (next.done) return
      if (next.value.trim() !== '') yield parse(next.value, what)
    }
  } catch (error) {
    throw error instanceof RackError ? error : errorOfConnection(error, signal, what)
  } finally {
    response.destroy()
  }
}

function parse(line: string, what: string): ImageMessage {
  try {
    return JSON.parse(line) as ImageMessage
  } catch (error) {
    throw new RackError('engine-failed', `Docker Engine: ${what} answered what cannot be read`, {
      cause: error,
    })
  }
}
