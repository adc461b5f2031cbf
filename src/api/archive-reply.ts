import type { FastifyReply } from 'fastify'
import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http'
import type { AnyCall } from './handlers.ts'

export interface ArchiveReply<Call> {
  handle: (call: Call & Pick<AnyCall, 'out'>) => unknown
  report: (error: unknown) => void
}

/**
 * Answers with an archive as fast as it is read. What fails before its first byte is a problem with a status; what fails
 * later breaks the connection, so that nobody takes a part for the whole.
 */
export async function replyArchive<Call extends Pick<AnyCall, 'control'>>(
  reply: FastifyReply,
  call: Call,
  { handle, report }: ArchiveReply<Call>,
): Promise<void> {
  const { raw } = reply
  const { signal } = call.control
  let hasBegun = false
  const begin = () => {
    hasBegun = true
    reply.hijack()
    const headers = { 'content-type': 'application/x-tar', 'cache-control': 'no-store' }
    raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers })
  }
  const out = async (chunk: Uint8Array) => {
    if (!hasBegun) begin()
    signal.throwIfAborted()
    if (!raw.write(chunk)) await once(raw, 'drain', { signal })
  }
  try {
    await handle({ ...call, out })
    if (!hasBegun) begin()
    raw.end()
  } catch (error) {
    if (!hasBegun) throw error
    if (!signal.aborted) report(error)
    raw.destroy()
  }
}
