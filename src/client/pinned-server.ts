import type { Agent } from 'node:https'
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls'
import { trusted } from './dial-tunnel.ts'
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
