import { X509Certificate } from 'node:crypto'
import type { Authority, CertificateSource, KeptCertificate } from '../../domain/certificate.ts'
import type { CertificateStore } from '../../domain/stores/rack-stores.ts'
import { openKnownList } from '../../lib/known-list.ts'
import { shortHash } from '../../lib/short-hash.ts'
import type { Issued } from '../../lib/x509/issue.ts'

/** The certificates of a rack; what holds now is at hand without asking the store. */
export interface CertificateKeeper extends CertificateSource {
  authority(): Promise<Authority>
  /** Durable when it settles; from then on it is one of those that are kept. */
  add(certificate: Omit<KeptCertificate, 'since'>): Promise<void>
  /** False when there was none. */
  remove(id: string): Promise<boolean>
}

const dayMs = 86_400_000
const authorityDays = 20 * 365
/** No client takes one for longer than 398. */
const issuedDays = 397
/** The clocks of others may be behind. */
const earlierMs = dayMs

/** Loaded when something is issued: a rack without TLS has no use for it. */
const issuing = async () => await import('../../lib/x509/issue.ts')

/** The rack's own authority is made when it is wanted for the first time, and stays the same from then on. */
export async function openCertificates(
  certificates: CertificateStore,
  rack: string,
): Promise<CertificateKeeper> {
  const kept = await openKnownList(() => certificates.list())
  const authority = authorityOf(certificates, rack)
  return {
    kept: kept.current,
    async authority() {
      const { certificate } = await authority()
      const { fingerprint256, validTo } = new X509Certificate(certificate)
      return { certificate, fingerprint: fingerprint256, until: new Date(validTo).toISOString() }
    },
    async authorityId() {
      const { certificate } = await authority()
      return shortHash(certificate)
    },
    async issue(name) {
      const { issueCertificate } = await issuing()
      const wanted = { names: [name], usages: ['server' as const], ...span(issuedDays) }
      const signer = await authority()
      const { certificate, key } = await issueCertificate({ authority: signer, ...wanted })
      // With who has signed it: a command line that is to believe the rack is shown whom.
      return { chain: `${certificate}\n${signer.certificate}\n`.replace(/\n{2,}/g, '\n'), key }
    },
    add: (certificate) => kept.change(() => certificates.add(certificate)),
    remove: (id) => kept.change(() => certificates.remove(id)),
  }
}

/** From the store, once; one that could not be read is asked for again. */
function authorityOf(certificates: CertificateStore, rack: string): () => Promise<Issued> {
  let found: Promise<Issued> | null = null
  const make = async () => {
    const { createAuthority } = await issuing()
    return await createAuthority({ name: `Rack ${rack}`, ...span(authorityDays) })
  }
  return async () => {
    found ??= certificates.authority('web', make)
    try {
      return await found
    } catch (error) {
      found = null
      throw error
    }
  }
}

function span(days: number): { from: Date; until: Date } {
  const now = Date.now()
  return { from: new Date(now - earlierMs), until: new Date(now + days * dayMs) }
}
