import { once } from 'node:events'
import { connect } from 'node:tls'
import { DeadlineError, withDeadline } from './deadline.ts'
import { tcpReason } from './tcp-answers.ts'

/** Whom to ask, and as whom. PEM. */
export interface TlsAsking {
  host: string
  port: number
  /** That is asked for, and that its certificate must hold. */
  name: string
  /** Who has signed its certificate. */
  authority: string
  /** By which the caller is known, then its key. */
  certificate: string
}

/** What came of it: `untrusted` is somebody else's end; `silent` says why it does not answer. */
export type TlsAnswer = { is: 'there' | 'revoked' | 'expired' | 'untrusted' } | { is: 'silent'; why: string }

/**
 * Whether an end of TLS is there and takes the caller's certificate. It is to end the connection by itself: only so is it
 * known that it took it.
 * @throws the signal's reason
 */
export async function probeTls(
  { host, port, name, authority, certificate }: TlsAsking,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
): Promise<TlsAnswer> {
  const identity = { ca: authority, cert: certificate, key: certificate }
  const socket = connect({ host, port, servername: name, ...identity, minVersion: 'TLSv1.3' })
  let isSecure = false
  socket.once('secureConnect', () => (isSecure = true))
  socket.resume()
  try {
    const what = `${host}:${port}`
    await withDeadline({ deadlineMs, what, signal }, (signal) => once(socket, 'close', { signal }))
    return isSecure ? { is: 'there' } : { is: 'silent', why: closedAtOnce }
  } catch (error) {
    if (signal.aborted) throw error
    if (error instanceof DeadlineError)
      return isSecure ? { is: 'there' } : { is: 'silent', why: `no answer within ${deadlineMs / 1000} s` }
    return answerOf(error as NodeJS.ErrnoException, isSecure)
  } finally {
    // What comes of it from here on is nobody's business.
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

const closedAtOnce = 'it closes connections from here'

function answerOf(error: NodeJS.ErrnoException, isSecure: boolean): TlsAnswer {
  const { code = '' } = error
  if (code.includes('ALERT_CERTIFICATE_REVOKED')) return { is: 'revoked' }
  if (code.includes('ALERT_CERTIFICATE_EXPIRED')) return { is: 'expired' }
  if (code === 'ECONNRESET') return isSecure ? { is: 'there' } : { is: 'silent', why: closedAtOnce }
  // Of what OpenSSL finds wrong the codes are many; those of the network begin with E and have no underline.
  const isOfNetwork = /^E[A-Z]+$/.test(code) || code === 'EAI_AGAIN'
  return isOfNetwork ? { is: 'silent', why: tcpReason(error) } : { is: 'untrusted' }
}
