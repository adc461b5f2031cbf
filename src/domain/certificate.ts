/** A certificate that somebody has brought, or that the rack has of an authority; it is shown to those who come by TLS for one of its names. */
export interface Certificate {
  id: string
  /** Lower-case; `*.example.com` is any one name below. */
  names: string[]
  /** Who signed it. */
  issuer: string
  /** SHA-256, upper-case hexadecimal with colons. */
  fingerprint: string
  from: string
  until: string
  /** When it was added. */
  since: string
  /** The directory of the authority from which the rack has it, and renews it; null for one that was brought. */
  authority: string | null
}

/** A chain, leaf first, and the key of the leaf: PEM. The key is a secret. */
export interface CertificatePair {
  chain: string
  key: string
}

export interface KeptCertificate extends Certificate, CertificatePair {}

/** The rack's own authority, as those are told who want to believe it. */
export interface Authority {
  /** PEM. */
  certificate: string
  fingerprint: string
  until: string
}

/** Where the router has what it shows. */
export interface CertificateSource {
  /** Those that somebody has brought or an authority has given, as they are now. */
  kept(): readonly KeptCertificate[]
  /** Tells apart what different authorities have issued: hexadecimal. */
  authorityId(): Promise<string>
  /** Of the rack's own authority, for one host name. Nothing is kept of it. */
  issue(name: string): Promise<CertificatePair>
}

/** The one that is shown for a host: that of its very name before a wildcard's, then the one that lasts longest; null where none holds. */
export function certificateFor(
  host: string,
  kept: readonly KeptCertificate[],
  at: Date,
): KeptCertificate | null {
  const now = at.toISOString()
  const holding = kept.filter(({ from, until, names }) => from <= now && now < until && covers(names, host))
  const ranked = holding.toSorted((a, b) => {
    const exact = Number(b.names.includes(host)) - Number(a.names.includes(host))
    if (exact !== 0) return exact
    return a.until === b.until ? (a.id < b.id ? -1 : 1) : a.until < b.until ? 1 : -1
  })
  return ranked[0] ?? null
}

/** Whether a certificate of these names proves a host, which may itself be a wildcard. */
export function covers(names: readonly string[], host: string): boolean {
  if (names.includes(host)) return true
  const dot = host.indexOf('.')
  return dot > 0 && !host.startsWith('*') && names.includes(`*${host.slice(dot)}`)
}
