import type { HttpRoute, RouteTable, WebWay } from './route-table.ts'

const usualWays: WebWay[] = ['http', 'https']

/** Where requests for a route come in; the rack's own TLS port is one thing by whichever name. */
export function webWays(
  { at = usualWays }: HttpRoute,
  { httpsPort }: Pick<RouteTable, 'httpsPort'>,
): Set<WebWay> {
  return new Set(at.map((way) => (way === httpsPort ? 'https' : way)))
}

/** The TLS ports of the web that files have opened, in order. */
export function ownWebPorts(table: RouteTable): number[] {
  const ways = table.apps.flatMap(({ http }) => http.flatMap((route) => [...webWays(route, table)]))
  return [...new Set(ways.filter((way) => typeof way === 'number'))].sort((a, b) => a - b)
}

/** Whether TLS ends anywhere at the router. */
export function speaksTls(table: RouteTable): boolean {
  const hasTlsPort = table.apps.some(({ tcp }) => tcp.some(({ tls }) => tls))
  return table.httpsPort !== undefined || hasTlsPort || ownWebPorts(table).length > 0
}

/** The map of host names to backends of one way in; it has a fixed name, so that HAProxy is told of changes. */
export function hostMapPath(directory: string, way: WebWay): string {
  const names = { http: 'hosts', https: 'https-hosts' }
  return `${directory}/${typeof way === 'number' ? `https-${way}` : names[way]}.map`
}
