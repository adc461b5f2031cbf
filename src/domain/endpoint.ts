import type { PortProtocol } from './port.ts'

/** An address at which a process type is reached from outside. */
export interface Endpoint {
  /** The process type. */
  process: string
  scheme: PortProtocol
  host: string
  port: number
}

const usualPorts: Partial<Record<PortProtocol, number>> = { http: 80, https: 443 }

/** What a person types or clicks; the usual port of a scheme is left out. */
export function endpointUrl({ scheme, host, port }: Endpoint): string {
  return port === usualPorts[scheme] ? `${scheme}://${host}` : `${scheme}://${host}:${port}`
}

/** A port that nobody serves, because another program has taken it. */
export interface UnservedPort {
  /** Null for a port of the rack itself. */
  app: string | null
  /** The process type; of the rack itself `https`, or `shares`: where other racks come in. */
  process: string
  port: number
  /** Who listens there, where that can be told. */
  holder: { pid: number; program: string } | null
}

/** What would be served at it, as people are told. */
export function unservedName({ app, process: type }: Pick<UnservedPort, 'app' | 'process'>): string {
  if (app !== null) return `${app} (${type})`
  return type === 'https' ? 'https' : 'services that are shared'
}
