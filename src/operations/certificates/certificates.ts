import { rootCertificates } from 'node:tls'
import { certificateFor, type Certificate, type KeptCertificate } from '../../domain/certificate.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Context } from '../context.ts'
import { refuseCertificates } from '../refuse-certificates.ts'
import { readPair } from './read-pair.ts'

/**
 * Keeps a certificate with its key once both were looked at, and shows it from then on. One that the router does not
 * take up is not kept: it would keep the router from all that comes after.
 * @param pair PEM, with any ends of lines, the certificates in any order
 * @throws invalid, which says what is wrong with it; exists; unsupported where none is shown
 */
export async function addCertificate(
  context: Context,
  pair: { certificate: string; key: string },
  control: Control,
): Promise<Certificate> {
  const { certificates, host } = context
  refuseCertificates(context)
  const kept = { ...readPair(pair, rootCertificates, context.now()), authority: null }
  const same = certificates.kept().find(({ fingerprint }) => fingerprint === kept.fingerprint)
  if (same)
    throw new RackError('exists', `the certificate is there already, as ${same.id}`, { hint: 'rack certs' })
  await certificates.add(kept)
  try {
    await host.updateRouter(control)
  } catch (error) {
    await certificates.remove(kept.id)
    throw error
  }
  return findCertificate(context, kept.id)
}

/**
 * @param id by no host: where several are for it, the next one would be for it once this is gone
 * @throws not-found
 */
export async function removeCertificate(context: Context, id: string, control: Control): Promise<void> {
  const { certificates, host } = context
  if (!(await certificates.remove(id.toUpperCase()))) throw notFound(id)
  await host.updateRouter(control)
}

/** By its id, or the host for which it is shown. @throws not-found */
export function findCertificate(context: Context, id: string): Certificate {
  const kept = context.certificates.kept()
  const found =
    kept.find((each) => each.id === id.toUpperCase()) ?? certificateFor(id.toLowerCase(), kept, context.now())
  if (!found) throw notYet(context, id) ?? notFound(id)
  return withoutKey(found)
}

export function listCertificates({ certificates }: Context): Certificate[] {
  return certificates.kept().map(withoutKey)
}

export function withoutKey({ chain: _chain, key: _key, ...told }: KeptCertificate): Certificate {
  return told
}

function notFound(id: string): RackError {
  return new RackError('not-found', `the rack has no certificate ${id}`, {
    hint: 'See them with: rack certs',
  })
}

/** A host for which one is being had of an authority. */
function notYet({ orders }: Context, host: string): RackError | null {
  const order = orders.account() && orders.order(host.toLowerCase())
  if (!order) return null
  const why = order.failed?.reason ?? 'the authority is being asked'
  return new RackError('not-found', `there is no certificate for ${host} yet: ${why}`, {
    hint: order.failed?.hint ?? 'See what becomes of it: rack certs acme',
  })
}
