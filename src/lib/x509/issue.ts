import * as x509 from '@peculiar/x509'
import { randomBytes, webcrypto } from 'node:crypto'
import { pemBlock } from './pem.ts'

/** A certificate with its private key, both as PEM. The key is a secret. */
export interface Issued {
  certificate: string
  /** PKCS #8. */
  key: string
}

export interface NewAuthority {
  /** The common name, which people see in a list of authorities. */
  name: string
  from: Date
  until: Date
}

export interface NewCertificate {
  authority: Issued
  /** Of hosts, `*.example.com` too; the first is the subject's common name where it fits. */
  names: string[]
  from: Date
  until: Date
  /** What it proves: who answers, who calls, or both. */
  usages: ('server' | 'client')[]
}

// ECDSA on P-256 with SHA-256: what every client of today knows, and fast to show.
const keyKind = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
/** What a common name may hold. */
const mostNameLength = 64

/** A self-signed authority of one level: what it signs are certificates of hosts and callers alone. */
export async function createAuthority({ name, from, until }: NewAuthority): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(keyKind, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    notBefore: from,
    notAfter: until,
    signingAlgorithm: keyKind,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return await asPem(certificate, keys.privateKey)
}

/** A certificate of hosts that is signed by its own key, with that: who believes it believes it alone. */
export async function createSelfSigned({
  names,
  from,
  until,
}: Pick<NewCertificate, 'names' | 'from' | 'until'>): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(keyKind, true, ['sign', 'verify'])
  const [first = ''] = names
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: first.length > mostNameLength ? [] : [{ CN: [first] }],
    notBefore: from,
    notAfter: until,
    signingAlgorithm: keyKind,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // Clients take it for one that is signed by itself only where it may sign.
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: 'dns' as const, value })),
        first.length > mostNameLength,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return await asPem(certificate, keys.privateKey)
}

/** A certificate with a new key, signed by an authority. */
export async function issueCertificate(wanted: NewCertificate): Promise<Issued> {
  const { authority, names, from, until, usages } = wanted
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await readKey(authority.key)
  const keys = await webcrypto.subtle.generateKey(keyKind, true, ['sign', 'verify'])
  const [first = ''] = names
  const purposes = {
    server: x509.ExtendedKeyUsage.serverAuth,
    client: x509.ExtendedKeyUsage.clientAuth,
  }
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: first.length > mostNameLength ? [] : [{ CN: [first] }],
    issuer: issuer.subjectName,
    notBefore: from,
    notAfter: until,
    signingAlgorithm: keyKind,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages.map((usage) => purposes[usage])),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: 'dns' as const, value })),
        first.length > mostNameLength,
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return await asPem(certificate, keys.privateKey)
}

async function asPem(certificate: x509.X509Certificate, privateKey: webcrypto.CryptoKey): Promise<Issued> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  return {
    certificate: `${certificate.toString('pem').trim()}\n`,
    key: pemBlock('PRIVATE KEY', new Uint8Array(bytes)),
  }
}

async function readKey(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64')
  return await webcrypto.subtle.importKey('pkcs8', bytes, keyKind, false, ['sign'])
}

/** 16 random bytes; the first bit is 0, since the number may not be negative, and the next 1, so that it is not shorter. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
