/** An opening of a process: external ports are served by the router, internal ones only inside the app. */
export interface Port {
  /** The number on which the rack listens; null for an internal port. */
  external: number | null
  /** The number on which the process listens. */
  container: number
  protocol: PortProtocol
  /** The version of the PROXY protocol by which the process is told who connects; false tells it nothing. */
  proxy: false | ProxyVersion
  /** Speaks TLS to the process. */
  secure: boolean
  /** The HTTP that is spoken to the process: version 2 in clear, or by TLS. Version 1.1 when absent. */
  upstream?: Http2
  /** Set on a port of protocol tls that other apps may have too, told apart by the name that clients ask TLS for. */
  isShared?: true
  /** Set on an external port that only the rack's own machine reaches. */
  isLocal?: true
  /** Set on a web port that no file names: the rack has noticed that the process speaks HTTP there. */
  isNoticed?: true
}

/** A port of a type of which nobody has said what it speaks. */
export interface NamelessPort {
  container: number
  /** On which the rack listens. */
  external: number
}

export type ProxyVersion = 'v1' | 'v2'
export type Http2 = 'h2c' | 'h2'

/** How a process is spoken to at a port. */
export type PortManners = Pick<Port, 'proxy' | 'secure' | 'upstream'>

/** Whether a process that is spoken to in the one way understands the other. */
export function haveSameManners(one: PortManners, other: PortManners): boolean {
  return one.proxy === other.proxy && one.secure === other.secure && one.upstream === other.upstream
}

export type PortProtocol = 'http' | 'https' | 'tcp' | 'tls' | 'udp'

/** How a copy proves that it serves; thresholds count probes in a row. */
export interface Health {
  /** An HTTP path that must answer 2xx or 3xx; null is a TCP connect. */
  path: string | null
  /** The name by which the path is asked for; null is the first of the type's own host names. */
  host: string | null
  /** The container port that is probed; null is the first declared one. */
  port: number | null
  intervalMs: number
  timeoutMs: number
  /** How long a starting copy may fail its probes. */
  graceMs: number
  healthyThreshold: number
  unhealthyThreshold: number
  replacement: Replacement
}

/** Whether a copy that serves no more is replaced, and after how long: where two may overlap, always, or never. */
export type Replacement = { when: 'overlapping' | 'always'; afterMs: number } | { when: 'never' }

/** What holds where a file says nothing. */
export const usualReplacement: Replacement = { when: 'overlapping', afterMs: 120_000 }

/**
 * The name by which copies are asked for a path, by the router and by the gate alike.
 * @param hosts under which visitors from outside reach the type
 */
export function healthHost({ host }: Pick<Health, 'host'>, hosts: string[]): string {
  return host ?? hosts.toSorted()[0] ?? 'localhost'
}

/** The protocol of an external port that no label names: 80 is http, 443 is https, anything else tcp. */
export function defaultProtocol(external: number): PortProtocol {
  if (external === 80) return 'http'
  return external === 443 ? 'https' : 'tcp'
}

/** Whether requests of the web come in at a port: several processes may share it, told apart by host name. */
export function isWeb(protocol: PortProtocol): boolean {
  return protocol === 'http' || protocol === 'https'
}
