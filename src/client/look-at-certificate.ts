import type { DetailedPeerCertificate } from 'node:tls'
import { RackError } from '../domain/error.ts'
import { pemBlock } from '../lib/x509/pem.ts'
import { unreachable } from './unreachable.ts'

/** What is shown at an address of https. */
export interface ShownCertificate {
  /** Null where a known authority vouches for it; else what is wrong, in OpenSSL's word. */
  problem: string | null
  /** The last of the chain: the authority, where it is sent along. */
  last: PinnedCertificate
}

/** Who alone is believed at an address. */
export interface PinnedCertificate {
  /** SHA-256, as `rack certs ca` says it: `AB:CD:…`. */
  fingerprint: string
  /** PEM. */
  certificate: string
}

const lookMs = 10_000

/** Asks for the certificates of an address, and sends it nothing. @throws unreachable, timeout */
export async function lookAtCertificate(address: string): Promise<ShownCertificate> {
  const url = new URL(address)
  const { connect } = await import('node:tls')
  const { isIP } = await import('node:net')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const { promise, resolve, reject } = Promise.withResolvers<ShownCertificate>()
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket = connect({ host, port: Number(url.port || 443), ...name, rejectUnauthorized: false })
  socket.once('secureConnect', () => {
    const problem = socket.authorized ? null : String(socket.authorizationError)
    resolve({ problem, last: lastOf(socket.getPeerCertificate(true)) })
  })
  socket.once('error', (error) => reject(unreachable(url, error)))
  socket.once('close', () =>
    reject(new RackError('unreachable', `${url.host} speaks no TLS`, { hint: 'Is the address right?' })),
  )
  const timer = setTimeout(
    () => reject(unreachable(url, Object.assign(new Error(), { code: 'ETIMEDOUT' }))),
    lookMs,
  )
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

function lastOf(shown: DetailedPeerCertificate): PinnedCertificate {
  let last = shown
  // One that has signed itself leads to itself.
  while ((last.issuerCertificate as DetailedPeerCertificate | undefined) && last.issuerCertificate !== last) {
    last = last.issuerCertificate
  }
  return { fingerprint: last.fingerprint256, certificate: pemBlock('CERTIFICATE', last.raw) }
}
