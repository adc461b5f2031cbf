import type { IncomingMessage } from 'node:http'
import { RackError } from '../domain/error.ts'
import { DeadlineError, withDeadline } from '../lib/deadline.ts'

/** How long an upload may stand still, unless its route says more. */
const usualStallMs = 60_000
/** How long, after an early answer, what still comes is taken and thrown away. */
const lingerMs = 5_000

/**
 * The body of a request, as fast as it is read. Leaving it early keeps the connection, over which the answer must go.
 * @throws cancelled when the client leaves, timeout when nothing comes for that long
 */
export async function* readUpload(
  request: IncomingMessage,
  stallMs = usualStallMs,
): AsyncGenerator<Uint8Array> {
  const chunks = request.iterator({ destroyOnReturn: false })
  try {
    for (;;) {
      const wait = { deadlineMs: stallMs, what: 'the next piece of the upload' }
      const { done, value } = await withDeadline(wait, () => chunks.next())
      if (done === true) return
      yield value as Uint8Array
    }
  } catch (cause) {
    if (cause instanceof DeadlineError) throw new RackError('timeout', cause.message, { cause })
    throw new RackError('cancelled', 'the upload broke off', { cause })
  } finally {
    await chunks.return?.()
  }
}

/**
 * Takes what a client still sends after its answer, for a while: closing at once would reset the connection, and the
 * client would see that instead of the reason.
 */
export function linger(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  request.resume()
  const timer = setTimeout(() => request.destroy(), lingerMs).unref()
  request.once('close', () => clearTimeout(timer))
}
