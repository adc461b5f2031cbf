import { RackError } from '../domain/error.ts'

const words: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer in time',
}

/** Translates what a socket throws, by its code; anything else stays the cause. */
export function unreachable(url: URL, cause: unknown): RackError {
  if (cause instanceof RackError) return cause
  const code = codeOf(cause)
  const reason = words[code] ?? (cause instanceof Error ? cause.message : String(cause))
  const wasLost = code === 'ECONNRESET' || code === 'EPIPE'
  const message = wasLost ? `the rack at ${url.host} went away` : `the rack at ${url.host} does not answer`
  return new RackError('unreachable', `${message}: ${reason}`, {
    hint: isOwnMachine(url)
      ? 'rack start'
      : 'Is the address right? rack racks lists them; rack login URL adds one.',
    details: { url: url.origin, code },
    cause,
  })
}

/** Node wraps the failures of several addresses into one error with a list. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0])
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
}

function isOwnMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
