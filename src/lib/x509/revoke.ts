import * as x509 from '@peculiar/x509'
import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import type { Issued } from './issue.ts'
import { pemBlock } from './pem.ts'

/** A certificate that its authority has taken back. */
export interface Revoked {
  /** Hexadecimal. */
  serial: string
  since: Date
}

/** The number by which an authority tells a certificate of its from the others, hexadecimal. */
export function serialOf({ certificate }: Pick<Issued, 'certificate'>): string {
  return new X509Certificate(certificate).serialNumber.toLowerCase()
}

/**
 * The list (RFC 5280, section 5) of what an authority has taken back, as PEM; it holds as long as the authority. Written
 * here: what the library writes is no list to OpenSSL.
 */
export function listRevoked(authority: Issued, revoked: Revoked[]): string {
  const issuer = new x509.X509Certificate(authority.certificate)
  const entries = revoked.map(({ serial, since }) =>
    node(tag.sequence, node(tag.integer, Buffer.from(serial, 'hex')), time(since)),
  )
  const list = node(
    tag.sequence,
    ecdsa,
    Buffer.from(issuer.subjectName.toArrayBuffer()),
    time(issuer.notBefore),
    time(issuer.notAfter),
    ...(entries.length > 0 ? [node(tag.sequence, ...entries)] : []),
  )
  const signature = sign('sha256', list, createPrivateKey(authority.key))
  return pemBlock('X509 CRL', node(tag.sequence, list, ecdsa, node(tag.bits, Buffer.of(0), signature)))
}

const tag = { integer: 0x02, bits: 0x03, id: 0x06, utc: 0x17, general: 0x18, sequence: 0x30 }
/** The algorithm ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
const ecdsa = node(tag.sequence, node(tag.id, Buffer.from('2a8648ce3d040302', 'hex')))

/** DER: what it is, how long it is, and its content. */
function node(kind: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.of(kind, body.length), body])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const bytes = length.subarray(length.findIndex((byte) => byte !== 0))
  return Buffer.concat([Buffer.of(kind, 0x80 | bytes.length), bytes, body])
}

/** Years from 2050 on have four digits. */
function time(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050
    ? node(tag.utc, Buffer.from(text.slice(2)))
    : node(tag.general, Buffer.from(text))
}
