import { RackError } from '../domain/error.ts'
import { unixUrl } from '../lib/unix-url.ts'
import type { NodeRoute, PinnedServer, Tunnel } from './transport.ts'

const words: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer in time',
  ENOENT: 'its socket is not there',
  EACCES: 'this user may not reach its socket',
}

type Route = Pick<NodeRoute, 'socketPath' | 'tunnel' | 'server'>

/** Translates what a socket throws, by its code; anything else stays the cause. */
export function unreachable(url: URL, cause: unknown, route: Route = {}): RackError {
  if (cause instanceof RackError) return cause
  const { socketPath, tunnel, server } = route
  const place = socketPath ?? server?.address ?? url.host
  const code = codeOf(cause)
  if (untrustedCodes.test(code))
    return untrusted(
      { host: place, origin: server ? place : url.origin, inAccount: server !== undefined },
      code,
      cause,
    )
  const reason = words[code] ?? (cause instanceof Error ? cause.message : String(cause))
  const wasLost = code === 'ECONNRESET' || code === 'EPIPE'
  const message = wasLost ? `the rack at ${place} went away` : `the rack at ${place} does not answer`
  return new RackError('unreachable', `${message}: ${reason}`, {
    hint: tunnel ? tunnelHint(code, tunnel) : server ? serverHint(server) : hintFor(code, isOwnMachine(url)),
    details: { url: addressOf(url, route), code },
    cause,
  })
}

/** What OpenSSL and Node call a certificate that is not believed. */
const untrustedCodes = /CERT|UNABLE_TO_|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE/

interface Untrusted extends Pick<URL, 'host' | 'origin'> {
  /** Whether its account says whom to believe. */
  inAccount: boolean
}

function untrusted({ host, origin, inAccount }: Untrusted, code: string, cause: unknown): RackError {
  const details = { url: origin, code }
  const lifetime = outsideLifetime(host, code)
  if (lifetime) return new RackError('untrusted', lifetime.message, { hint: lifetime.hint, details, cause })
  return new RackError(
    'untrusted',
    `the certificate of ${host} is not believed here (${code}): nothing was sent to it`,
    {
      hint: inAccount
        ? `If it was renewed (rack update --renew-certificate), its account tells the new one: rack login ${origin}; who only has a token of it adds --token-stdin`
        : `If it was changed, or your clock was wrong: date; rack login ${origin} looks at it anew.`,
      details,
      cause,
    },
  )
}

/** What is wrong where a certificate does not hold at the time of this machine; null where it is something else. */
export function outsideLifetime(host: string, code: string): { message: string; hint: string } | null {
  const verb = { CERT_NOT_YET_VALID: 'does not hold yet', CERT_HAS_EXPIRED: 'has expired' }[code]
  if (verb === undefined) return null
  const now = new Date().toISOString()
  return {
    message: `the certificate of ${host} ${verb} by the clock of this machine (${now}): nothing was sent to it`,
    hint: `Is that the time (date)? If not, set the clock and try again; if so, on the rack: rack doctor; rack certs`,
  }
}

function addressOf(url: URL, { socketPath, tunnel, server }: Route): string {
  if (tunnel) return tunnel.address
  if (server) return server.address
  return socketPath === undefined ? url.origin : unixUrl(socketPath)
}

/** Its balancer may be another one by now, or let nobody in from here. */
function serverHint({ address }: PinnedServer): string {
  return `See how it is: rack doctor. If it has moved: rack login ${address}`
}

function tunnelHint(code: string, { host }: Tunnel): string {
  if (code === 'ECONNRESET') return `Is ${host} there? rack status`
  if (code === 'EACCES')
    return `On ${host}: be root, the user who installed it, or a member of its API's group.`
  return `On ${host}: rack status; rack start`
}

function hintFor(code: string, isHere: boolean): string {
  if (code === 'EACCES')
    return 'Be root, the user who installed the rack, or a member of the group of its API.'
  if (isHere) return 'rack start'
  return 'Is the address right? rack racks lists them; rack login URL adds one.'
}

/** Node wraps the failures of several addresses into one error with a list. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0])
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
}

function isOwnMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
