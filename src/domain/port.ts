/** An opening of a process: external ports are served by the router, internal ones only inside the app. */
export interface Port {
  /** The number on which the rack listens; null for an internal port. */
  external: number | null
  /** The number on which the process listens. */
  container: number
  protocol: PortProtocol
  /** Sends the PROXY protocol to the process. */
  proxy: boolean
  /** Speaks TLS to the process. */
  secure: boolean
}

export type PortProtocol = 'http' | 'https' | 'tcp' | 'tls' | 'udp'

/** How a copy proves that it serves; thresholds count probes in a row. */
export interface Health {
  /** An HTTP path that must answer 2xx or 3xx; null is a TCP connect. */
  path: string | null
  /** The container port that is probed; null is the first declared one. */
  port: number | null
  intervalMs: number
  timeoutMs: number
  /** How long a starting copy may fail its probes. */
  graceMs: number
  healthyThreshold: number
  unhealthyThreshold: number
}

/** The protocol of an external port that no label names: 80 is http, 443 is https, anything else tcp. */
export function defaultProtocol(external: number): PortProtocol {
  if (external === 80) return 'http'
  return external === 443 ? 'https' : 'tcp'
}
