import { mask } from './environment.ts'

/** How the router treats those who come to a process type from outside. A change of it never replaces a copy. */
export interface Routing {
  /** By what a client is known again, so that it meets the same copy; null spreads requests evenly. */
  sticky: Sticky | null
  /** How long a connection may be silent; null is the router's own limit. */
  idleTimeoutMs: number | null
  /** Addresses and ranges (`10.0.0.0/8`, `::1`) that may connect; null is everyone. */
  allow: string[] | null
  /** Who may pass with user name and password, on HTTP ports; empty asks nobody. */
  auth: Account[]
  /** True serves http too where it would send visitors to https. */
  keepsHttp?: true
  /** For how long browsers that came by https shall come by it alone; nothing is said when absent. */
  hstsSeconds?: number
}

/** The client's address, a header of its request, or the path that it asks for. */
export type Sticky = { by: 'source' } | { by: 'header'; name: string } | { by: 'uri' }

export interface Account {
  user: string
  password: string
}

/** A process type of which the file says nothing. */
export const plainRouting: Routing = { sticky: null, idleTimeoutMs: null, allow: null, auth: [] }

/** The same with every password masked. */
export function maskRouting(routing: Routing): Routing {
  return { ...routing, auth: routing.auth.map(({ user }) => ({ user, password: mask })) }
}
