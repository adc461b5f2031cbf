import { mostWaitMs } from '../lib/acme/acme-problem.ts'
import { covers, type Certificate } from './certificate.ts'

/** The authority from which a rack has certificates by ACME. */
export interface AcmeAuthority {
  /** The URL of its directory. */
  directory: string
  /** Where it writes to about what it has signed; null for none. */
  email: string | null
  /** PEM: who signs for the directory itself, where the system does not know them. */
  ca: string | null
}

/** The rack's account at an authority. */
export interface AcmeAccount extends AcmeAuthority {
  /** Its name there; null before it is made. */
  url: string | null
  /** PKCS #8 PEM: a secret. */
  key: string
}

/** A certificate that is being had of an authority, or could not be had. */
export interface CertificateOrder {
  /** The host for which it is, `*.example.com` too. */
  name: string
  /** Of the authority that was asked. */
  directory: string
  /** Where the authority has it; null while it is not placed there. */
  url: string | null
  /** What the authority is to find; null while it looks for nothing. */
  challenge: Challenge | null
  /** How often in a row it has failed. */
  failures: number
  /** When it is gone on with, or begun anew. */
  next: string
  /** Why it failed last; null when it has not. */
  failed: OrderFailure | null
}

export interface KeptOrder extends CertificateOrder {
  /** PKCS #8 PEM, a secret: that of the certificate. Null before there is one. */
  key: string | null
}

/** By http the router answers at a path with the token in it, by DNS there is a record with a digest of the answer. */
export interface Challenge {
  kind: 'http-01' | 'dns-01'
  token: string
  answer: string
}

export interface OrderFailure {
  time: string
  reason: string
  /** What to do, or type. */
  hint: string
  /** Until when the authority wants to be left alone; null where it does not say. */
  notBefore: string | null
}

/** Where the router has what it answers authorities, as it is now. */
export interface ChallengeSource {
  open(): readonly Challenge[]
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const firstDelayMs = 5 * minuteMs
const lastDelayMs = 12 * hourMs
/** One that was brought is followed by one of the authority when it has no more than that left. */
const broughtLeftMs = 7 * dayMs

/**
 * When a certificate of an authority is renewed: in the last third of its life, not all of a rack's at once, and always
 * the same for one.
 */
export function renewalOf({
  from,
  until,
  fingerprint,
}: Pick<Certificate, 'from' | 'until' | 'fingerprint'>): Date {
  const [start, lifeMs] = [Date.parse(from), Date.parse(until) - Date.parse(from)]
  const share = parseInt(fingerprint.replaceAll(':', '').slice(0, 4), 16) / 0x10000
  return new Date(start + lifeMs * (2 / 3 + share / 12))
}

/**
 * How long after a failure it is tried again: longer each time, up to half a day.
 * @param failures how many there were in a row, this one too
 * @param share from 0 to 1, by chance: what fails together is not tried again together
 */
export function retryDelayMs(failures: number, share: number): number {
  const delayMs = Math.min(firstDelayMs * 2 ** Math.min(failures - 1, 20), lastDelayMs)
  return Math.round(delayMs * (0.9 + share / 5))
}

/** What is known of a host when it is asked whether it needs a certificate. */
export interface HostState {
  name: string
  /** That which is shown for it now. */
  certificate: Certificate | null
  order: CertificateOrder | null
  /** All hosts that are to have one. */
  wanted: ReadonlySet<string>
  authority: AcmeAuthority
}

/** From when on a certificate of the authority is to be ordered for a host; null where another one does for it. */
export function orderTime(state: HostState, now: Date): Date | null {
  const { order, authority, certificate } = state
  const needed = neededFrom(state, now)
  if (order === null || order.directory !== authority.directory) return needed
  // Somebody has brought one meanwhile.
  if (needed === null || (certificate?.authority === null && needed > now)) return null
  const next = new Date(order.next)
  const longestMs = order.failed?.notBefore ? mostWaitMs : 2 * lastDelayMs
  // It was written down by a clock that was ahead.
  return next.getTime() - now.getTime() > longestMs ? now : next
}

/** Until when an authority wants to be left alone by an order; null where it does not, or a clock that was ahead says so. */
export function quietTime({ failed }: Pick<CertificateOrder, 'failed'>, now: Date): Date | null {
  if (!failed?.notBefore) return null
  const until = new Date(failed.notBefore)
  return until > now && until.getTime() - now.getTime() <= mostWaitMs ? until : null
}

function neededFrom({ name, certificate, wanted, authority }: HostState, now: Date): Date | null {
  if (!certificate) return now
  if (certificate.authority === null) return new Date(Date.parse(certificate.until) - broughtLeftMs)
  const isOwn = certificate.names.includes(name)
  // Of a wildcard that is renewed by itself.
  if (!isOwn && certificate.names.some((other) => wanted.has(other))) return null
  return certificate.authority === authority.directory ? renewalOf(certificate) : now
}

/** Names that no public authority signs: RFC 6761, RFC 6762, RFC 7686, and `internal`. */
const nobodys = new Set(['test', 'example', 'internal', 'local', 'onion', 'arpa'])

/** Whether an authority can be asked for a name. A private one signs for names that nobody has in public. */
export function isOrderable(name: string, { ca }: Pick<AcmeAuthority, 'ca'>): boolean {
  const last = name.split('.').at(-1)!
  if (last === 'localhost' || last === 'invalid') return false
  return ca !== null || (name.includes('.') && !nobodys.has(last))
}

/** Certificates of authorities that a newer one has followed on: of the same names, and not the one that is shown. */
export function followedOn(
  newer: Certificate,
  kept: readonly Certificate[],
  shown: Certificate | null,
): Certificate[] {
  if (shown?.id !== newer.id) return []
  return kept.filter(
    ({ id, authority, names }) =>
      id !== newer.id && authority !== null && names.every((name) => covers(newer.names, name)),
  )
}
