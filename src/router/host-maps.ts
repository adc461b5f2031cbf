import { namesOf, tlsNamesOf } from './domains.ts'
import { backendName, type RouteTable, type TcpRoute, type WebWay } from './route-table.ts'
import { hostMapPath, ownWebPorts, webWays } from './web-ways.ts'

/** A file by which HAProxy finds the backend of a name; it is told of changes. */
export interface HostMap {
  path: string
  /** Host name to backend; `*.example.com` is any one name below. */
  entries: ReadonlyMap<string, string>
}

/** The map of each way in, that of http first. @param speaksTls whether there is a way by TLS */
export function hostMaps(table: RouteTable, directory: string, speaksTls: boolean): HostMap[] {
  const ways: WebWay[] = speaksTls ? ['http', 'https', ...ownWebPorts(table)] : ['http']
  const web = ways.map((way) => {
    const names = namesOf(table).filter(
      ({ route }) => webWays(route, table).has(way) && (speaksTls || !route.isTlsOnly),
    )
    const entries = names.map(
      ({ name, route, app }) => [name, backendName({ kind: 'http', app, route })] as const,
    )
    return { path: hostMapPath(directory, way), entries: sorted(entries) }
  })
  return [...web, ...(speaksTls ? sniPorts(table).map((place) => sniMap(table, directory, place)) : [])]
}

/** A port of TLS that several apps may have. */
export interface SniPort {
  bind: string
  port: number
}

export function sniPorts({ apps }: Pick<RouteTable, 'apps'>): SniPort[] {
  const shared = apps.flatMap(({ tcp }) => tcp.filter(({ tls }) => tls?.isShared))
  const places = new Map(shared.map(({ bind, listenPort: port }) => [`${bind} ${port}`, { bind, port }]))
  return [...places.values()].sort((a, b) => a.port - b.port)
}

/** What is of one such port in the configuration: two of a number may listen on two addresses. */
export const sniName = ({ bind, port }: SniPort): string => `tls-${bind}-${port}`

export function sniMapPath(directory: string, place: SniPort): string {
  return `${directory}/${sniName(place)}.map`
}

export function isAt(route: TcpRoute, { bind, port }: SniPort): boolean {
  return route.tls?.isShared === true && route.listenPort === port && route.bind === bind
}

function sniMap(table: RouteTable, directory: string, place: SniPort): HostMap {
  const entries = tlsNamesOf(table)
    .filter(({ route }) => isAt(route, place))
    .map(({ name, app, route }) => [name, backendName({ kind: 'tcp', app, route })] as const)
  return { path: sniMapPath(directory, place), entries: sorted(entries) }
}

/** Of two of one name the last counts. */
function sorted(entries: (readonly [string, string])[]): Map<string, string> {
  return new Map([...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : 1)))
}
