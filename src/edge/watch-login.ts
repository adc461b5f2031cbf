import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Login } from '../domain/caller.ts'

/** What is said last has so long to be read. */
const lastWordsMs = 500

/**
 * Ends a request, and its stream or socket, as soon as the token by which it was let in is good no longer: its signal
 * aborts, and what is still open a moment later is closed.
 */
export function watchLogin(request: FastifyRequest, reply: FastifyReply, login: Login): AbortSignal {
  const { socket } = request.raw
  const over = new AbortController()
  let closing: NodeJS.Timeout | undefined
  const watching = login.whenOver((reason) => {
    over.abort(reason)
    closing = setTimeout(() => socket.destroy(), lastWordsMs).unref()
  })
  const leave = () => {
    watching[Symbol.dispose]()
    clearTimeout(closing)
  }
  // A connection carries many requests, but once it is a WebSocket it is one's alone.
  if (request.ws) socket.once('close', leave)
  else reply.raw.once('close', leave)
  return over.signal
}
