import type { Duplex } from 'node:stream'
import type { Tunnel } from './transport.ts'
import { unreachable } from './unreachable.ts'

/** What TLS is told of who is believed; one that has signed itself, or is only a part of a chain, may be. */
export function trusted(pinned: string | undefined): { ca?: string; allowPartialTrustChain?: true } {
  return pinned === undefined ? {} : { ca: pinned, allowPartialTrustChain: true }
}

/** A connection through it. @throws unreachable */
export function dialTunnel(url: URL, tunnel: Tunnel): Duplex {
  try {
    return tunnel.dial()
  } catch (error) {
    throw unreachable(url, error, { tunnel })
  }
}
