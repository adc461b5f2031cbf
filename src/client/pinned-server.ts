import type { Agent } from 'node:https'
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls'
import { trusted } from './dial-tunnel.ts'
import { RackError } from '../domain/error.ts'
import type { PinnedServer } from './transport.ts'

/** How long a connection is kept that nobody uses, ms: as long as Node keeps others. */
const idleMs = 5000

/**
 * What TLS is opened with. Its check comes before a byte is sent; the name on the certificate says no more than the
 * certificate itself does.
 */
export function pinnedConnection({ name, host, port, certificate }: PinnedServer): ConnectionOptions {
  const { X509Certificate } = process.getBuiltinModule('node:crypto')
  const pinned = new X509Certificate(certificate)
  return {
    host,
    port,
    servername: name,
    ...trusted(certificate),
    checkServerIdentity: (_name: string, shown: PeerCertificate) =>
      shown.raw.equals(pinned.raw) ? undefined : new OtherCertificateError(),
  }
}

/** Signed by the pinned one, so that it would be believed. */
class OtherCertificateError extends Error {
  code = 'CERT_IS_ANOTHER'

  constructor() {
    super('another certificate is shown than the one that is believed')
  }
}

/** What a load balancer of AWS takes of the first line of a request (D), with room for its method and protocol. */
const mostAddressBytes = 16_384 - 64

/** A command to run travels in the address. @throws too-large for one that the balancer would refuse with a word of its own */
export function checkAddressLength({ pathname, search }: URL, { address }: PinnedServer): void {
  const bytes = Buffer.byteLength(pathname + search)
  if (bytes <= mostAddressBytes) return
  throw new RackError(
    'too-large',
    `a request of ${bytes} bytes does not get through the load balancer of ${address}: ${mostAddressBytes} do`,
    {
      hint: 'Put a long command into a file of the image, or give it by standard input: rack run PROCESS sh < FILE',
    },
  )
}

/** Opens a connection of its own, for what is not a request. */
export function dialPinned(server: PinnedServer): TLSSocket {
  return process.getBuiltinModule('node:tls').connect(pinnedConnection(server))
}

/** Keeps connections for further requests. None resumes another's session, whose certificate would not be looked at. */
export function pinnedAgent(server: PinnedServer): Agent {
  const https = process.getBuiltinModule('node:https')
  return new https.Agent({
    keepAlive: true,
    timeout: idleMs,
    maxCachedSessions: 0,
    ...pinnedConnection(server),
  })
}
