import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'

/** What a file of certificates says, its leaf first. */
export interface Bundle {
  /** The leaf, then whoever signed it and so on; a root that signs itself is left out. PEM, each with its end of line. */
  chain: string[]
  /** Of the leaf, lower-case, in its order. */
  names: string[]
  /** Of the leaf: SHA-256, upper-case hexadecimal with colons. */
  fingerprint: string
  /** Who signed the leaf, by its common name or else all that is said. */
  issuer: string
  from: Date
  until: Date
  /** Whether the leaf is signed by itself. */
  isSelfSigned: boolean
}

/** Why a file cannot be used; `what` is for people, `hint` what they may do. */
export class BundleError extends Error {
  readonly hint: string

  constructor(what: string, hint: string) {
    super(what)
    this.hint = hint
  }
}

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/**
 * Reads PEM text with one leaf and its chain, in any order and with any ends of lines. The chain ends at a root that the
 * text has, or that is known.
 * @param knownRoots PEM; null where it may end anywhere
 * @throws BundleError
 */
export function readBundle(text: string, knownRoots: readonly string[] | null): Bundle {
  const certificates = (text.match(block) ?? []).map(readCertificate)
  if (certificates.length === 0)
    throw new BundleError(
      'there is no certificate in the file',
      'It is a PEM file: -----BEGIN CERTIFICATE-----',
    )
  const distinct = [...new Map(certificates.map((each) => [each.fingerprint256, each])).values()]
  const leaf = leafOf(distinct)
  const chain = chainOf(leaf, distinct)
  const strangers = distinct.filter((each) => !chain.includes(each) && !isSelfSigned(each))
  if (strangers.length > 0) {
    throw new BundleError(
      `the chain is broken: ${nameOf(strangers[0]!.subject)} has signed nothing of it`,
      `The file has the certificate and those that signed it, up to ${nameOf(chain.at(-1)!.issuer)}.`,
    )
  }
  if (knownRoots) checkEnd(chain.at(-1)!, knownRoots)
  return {
    // A root is known to those who believe it.
    chain: chain.filter((each, at) => at === 0 || !isSelfSigned(each)).map(pemOf),
    names: namesOf(leaf),
    fingerprint: leaf.fingerprint256,
    issuer: nameOf(leaf.issuer),
    from: new Date(leaf.validFrom),
    until: new Date(leaf.validTo),
    isSelfSigned: isSelfSigned(leaf),
  }
}

/**
 * A private key without a passphrase, as PKCS #8.
 * @throws BundleError
 */
export function readPrivateKey(text: string): { pem: string; key: KeyObject } {
  if (/ENCRYPTED/.test(text))
    throw new BundleError(
      'the key is locked by a passphrase',
      'Unlock it first: openssl pkey -in KEY.pem -out UNLOCKED.pem',
    )
  try {
    const key = createPrivateKey(text.replaceAll('\r', ''))
    return { key, pem: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
  } catch {
    // What the library says may name parts of a secret.
    throw new BundleError(
      'there is no private key in the file',
      'It is a PEM file: -----BEGIN PRIVATE KEY-----',
    )
  }
}

/** Whether a key is that of a bundle's leaf. */
export function isKeyOf(key: KeyObject, { chain }: Pick<Bundle, 'chain'>): boolean {
  const wanted = new X509Certificate(chain[0]!).publicKey.export({ type: 'spki', format: 'der' })
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).equals(wanted)
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem.replaceAll('\r', ''))
  } catch {
    throw new BundleError('a certificate in the file is damaged', 'Take the file from its source once more.')
  }
}

/** The one that has signed no other. */
function leafOf(certificates: X509Certificate[]): X509Certificate {
  const leaves = certificates.filter((each) =>
    certificates.every((other) => other === each || !isSignedBy(other, each)),
  )
  const ends = leaves.length > 1 ? leaves.filter((each) => !each.ca) : leaves
  if (ends.length === 1) return ends[0]!
  throw new BundleError(
    ends.length === 0
      ? 'there is no certificate of a host in the file'
      : 'there are certificates of several hosts',
    'One file has one certificate, and those that signed it.',
  )
}

function chainOf(leaf: X509Certificate, certificates: X509Certificate[]): X509Certificate[] {
  const chain = [leaf]
  for (;;) {
    const last = chain.at(-1)!
    const signer = certificates.find((each) => !chain.includes(each) && isSignedBy(last, each))
    if (!signer) return chain
    chain.push(signer)
  }
}

function isSignedBy(one: X509Certificate, other: X509Certificate): boolean {
  return one.checkIssued(other) && one.verify(other.publicKey)
}

function isSelfSigned(one: X509Certificate): boolean {
  return isSignedBy(one, one)
}

function checkEnd(last: X509Certificate, knownRoots: readonly string[]): void {
  if (isSelfSigned(last)) return
  if (knownRoots.some((pem) => isSignedBy(last, new X509Certificate(pem)))) return
  const signer = nameOf(last.issuer)
  throw new BundleError(
    `the chain is not complete: the certificate of ${signer} is missing, which has signed that of ${nameOf(last.subject)}`,
    'Whoever gave you the certificate has it too, often as chain.pem or fullchain.pem; the root of a private authority goes to the end.',
  )
}

function namesOf({ subjectAltName }: X509Certificate): string[] {
  const names = (subjectAltName ?? '').split(', ').flatMap((part) => /^DNS:(.+)$/.exec(part)?.[1] ?? [])
  return [...new Set(names.map((name) => name.toLowerCase()))]
}

/** Lines such as `CN=Example`. */
function nameOf(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.split('\n').join(', ')
}

function pemOf(one: X509Certificate): string {
  return `${one.toString().trim()}\n`
}
