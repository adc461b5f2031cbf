import { randomBytes } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { KeptCertificate } from '../../domain/certificate.ts'
import { RackError } from '../../domain/error.ts'
import { makeId } from '../../domain/id.ts'
import { BundleError, isKeyOf, readBundle, readPrivateKey } from '../../lib/x509/read-bundle.ts'

/** What the router is told at once, with its command. */
const mostBytes = 15_000
const leastRsaBits = 2048

/**
 * A certificate and its key, looked at before they are shown to anybody.
 * @param pair PEM, with any ends of lines, the certificates in any order
 * @param roots who may end the chain besides a root in it; null where whoever gave it knows who believes it
 * @throws invalid, which says what is wrong with it
 */
export function readPair(
  pair: { certificate: string; key: string },
  roots: readonly string[] | null,
  now: Date,
): Omit<KeptCertificate, 'since' | 'authority'> {
  try {
    const bundle = readBundle(pair.certificate, roots)
    const { key, pem } = readPrivateKey(pair.key)
    if (!isKeyOf(key, bundle))
      throw new BundleError(
        'the key is that of another certificate',
        'Both files belong together: rack certs add CERTIFICATE.pem KEY.pem',
      )
    checkKeyKind(key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength)
    checkTimes(bundle, now)
    if (bundle.names.length === 0)
      throw new BundleError(
        'the certificate names no host',
        'It needs subject alternative names of kind DNS.',
      )
    const chain = bundle.chain.join('')
    if (Buffer.byteLength(chain + pem) > mostBytes)
      throw new BundleError(
        `certificate, chain and key have more than ${mostBytes} bytes`,
        'Leave out what is no part of the chain.',
      )
    // The router's library may refuse what the checks before let pass.
    createSecureContext({ cert: chain, key: pem })
    const { names, issuer, fingerprint, from, until } = bundle
    const id = makeId('C', randomBytes)
    return {
      id,
      names,
      issuer,
      fingerprint,
      from: from.toISOString(),
      until: until.toISOString(),
      chain,
      key: pem,
    }
  } catch (error) {
    if (error instanceof BundleError) throw new RackError('invalid', error.message, { hint: error.hint })
    if (!/^ERR_(SSL|OSSL|CRYPTO)/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new RackError('invalid', 'the certificate cannot be shown: TLS libraries refuse it', {
      hint: 'Its key and signatures are of a kind that is too weak today: have a new one made.',
    })
  }
}

function checkKeyKind(kind: string | undefined, bits = leastRsaBits): void {
  if (kind === 'ec' || (kind === 'rsa' && bits >= leastRsaBits)) return
  throw new BundleError(
    `the key is of a kind that browsers do not take (${kind === 'rsa' ? `RSA of ${bits} bits` : kind})`,
    `It is of ECDSA, or of RSA with ${leastRsaBits} bits or more.`,
  )
}

function checkTimes({ from, until }: { from: Date; until: Date }, now: Date): void {
  if (until <= now)
    throw new BundleError(`the certificate has expired, at ${until.toISOString()}`, 'Have a new one made.')
  if (from > now)
    throw new BundleError(
      `the certificate holds only from ${from.toISOString()} on`,
      'Add it then, or set the clock of the rack right.',
    )
}
