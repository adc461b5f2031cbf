import { createConnection } from 'node:net'
import { once } from 'node:events'
import { DeadlineError, withDeadline } from './deadline.ts'

/**
 * Whether something takes connections at an address: null when it does, else why not, for people.
 * @throws the signal's reason
 */
export async function tcpProblem(
  { host, port }: { host: string; port: number },
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
): Promise<string | null> {
  const socket = createConnection({ host, port })
  try {
    const what = `${host}:${port}`
    await withDeadline({ deadlineMs, what, signal }, (signal) => once(socket, 'connect', { signal }))
    return null
  } catch (error) {
    if (signal.aborted) throw error
    if (error instanceof DeadlineError) return `no answer within ${deadlineMs / 1000} s`
    return tcpReason(error as NodeJS.ErrnoException)
  } finally {
    // What comes of it from here on, such as a refusal after the deadline, is nobody's business.
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

/** Why a connection was not to be had, for people. */
export function tcpReason({ code, message }: NodeJS.ErrnoException): string {
  return reasons[code ?? ''] ?? code ?? message
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
}
