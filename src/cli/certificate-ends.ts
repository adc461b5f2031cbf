import type { Client, Reply } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { ahead } from './output/times.ts'

/** When a certificate ends that was brought, or that the rack has of an authority and renews. */
export type CertificateEnd = Pick<Reply<'listCertificates'>[number], 'id' | 'names' | 'until' | 'authority'>

const dayMs = 86_400_000
/** Whoever has brought one has so long to bring the next. */
const soonMs = 21 * dayMs
/** Of one that the rack itself should have renewed weeks before. */
const urgentMs = 7 * dayMs

/** Milliseconds that are left of it: negative of one that has ended. */
export function leftOf({ until }: CertificateEnd, nowMs = Date.now()): number {
  return Date.parse(until) - nowMs
}

/** Whether somebody should look after it: one that is renewed in time never is. */
export function isDueSoon(end: CertificateEnd, nowMs = Date.now()): boolean {
  return end.authority === null ? leftOf(end, nowMs) <= soonMs : isUrgent(end, nowMs)
}

/** Whether hardly anything is left of it. */
export function isUrgent(end: CertificateEnd, nowMs = Date.now()): boolean {
  return leftOf(end, nowMs) <= urgentMs
}

/** Those that end soon, or the next one to end where none does; the soonest first. */
export function nextEnds(certificates: CertificateEnd[], nowMs = Date.now()): CertificateEnd[] {
  const sorted = certificates.toSorted((a, b) => leftOf(a, nowMs) - leftOf(b, nowMs))
  const soon = sorted.filter((end) => isDueSoon(end, nowMs))
  const shown = soon.length > 0 ? soon : sorted.slice(0, 1)
  return shown.map(({ id, names, until, authority }) => ({ id, names, until, authority }))
}

/** The same of a rack; null where it does not tell: to a token of some apps, or of an earlier version. */
export async function readNextEnds(
  client: Pick<Client, 'listCertificates'>,
): Promise<CertificateEnd[] | null> {
  try {
    return nextEnds(await client.listCertificates())
  } catch (error) {
    if (error instanceof RackError && ['forbidden', 'not-found'].includes(error.code)) return null
    throw error
  }
}

/** `shop.example.com ends 2027-02-01 (in 60 d; the rack renews it)`. */
export function describeEnd(end: CertificateEnd, nowMs = Date.now()): string {
  const { names, until, authority } = end
  const [first = '', ...others] = names
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  const renewed = authority === null ? 'renewed by hand' : 'the rack renews it'
  const day = until.slice(0, 10)
  if (leftOf(end, nowMs) <= 0) return `${first}${more} has expired on ${day} (${renewed})`
  return `${first}${more} ends ${day} (${ahead(until, nowMs)}; ${renewed})`
}
