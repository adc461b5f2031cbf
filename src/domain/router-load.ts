/**
 * How many connections the router holds, and how much of that one app and one visitor may have. Numbers of connections,
 * and of requests that are under way: HTTP/2 carries many of them on one connection.
 */
export interface RouterShares {
  /** From outside, of all apps together; what comes beyond waits in the system's own queue. */
  connections: number
  /** Of one app: requests and TCP connections, those that wait included. */
  app: number
  /** How many of them one copy is given; others wait. */
  copy: number
  /** Connections of one address, to all apps together. */
  source: number
  /** Requests and TCP connections of one address at one app's port. */
  sourceAtApp: number
  /** When so many are under way, what is left is kept for those who have little. */
  crowded: number
  /** What an app may still have then. */
  smallApp: number
  /** What an address may still have then. */
  smallSource: number
}

/** What the router has open now. */
export interface RouterLoad {
  /** Connections from outside. */
  connections: number
  shares: RouterShares
  /** Of each app that has a route. */
  apps: Record<string, AppTraffic>
}

export interface AppTraffic {
  /** Requests and TCP connections that are under way, those that wait included. */
  underWay: number
  /** How many were beyond a share since the router last read its configuration. */
  refused: number
}
