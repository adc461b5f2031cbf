import type { Http2 } from '../domain/port.ts'
import type { Sticky } from '../domain/routing.ts'
import type { SharedEnd, SharedPort, ShareEntrance } from '../domain/share.ts'

/** Who may pass by name and password: digests under a key, since the table and the configuration hold no password. */
export interface Passes {
  /** Base64. */
  key: string
  /** HMAC-SHA-256 of `user:password`, upper-case hexadecimal. */
  digests: string[]
}

/** Everything that the router serves; its file always holds the whole of it. */
export interface RouteTable {
  /** The address on which HTTP is served, such as `0.0.0.0`. */
  httpBind: string
  httpPort: number
  /** Where the same is served by TLS; nowhere when absent. */
  httpsPort?: number
  apps: AppRoutes[]
  /** Where other racks come in; nowhere when absent. */
  entrance?: ShareEntrance
  /** To services that other racks share with this one. */
  ways?: Way[]
}

/** Where HTTP is served, as it is said by who makes the router. */
export type Listening = Pick<RouteTable, 'httpBind' | 'httpPort' | 'httpsPort'>

/** What is kept of a table. */
export type KeptTable = Omit<RouteTable, keyof Listening>

/** The routes of one app, or of one service; applied whole. */
export interface AppRoutes {
  /** Its owner's key: of an app, the name. */
  app: string
  http: HttpRoute[]
  tcp: TcpRoute[]
  /** Ports that the kernel leads; kept here beside the others. Absent where there are none. */
  udp?: UdpRoute[]
  /** Absent where nothing is shared. */
  shares?: ShareRoute[]
}

/** Requests for these host names go to one process type; a type may have no server, and then answers 503. */
export interface HttpRoute {
  type: string
  /** The port on which the processes listen. */
  port: number
  /** Exact names, lower-case, without a port. */
  hosts: string[]
  /** Names of somebody's own, wildcards too; a name that is among the hosts of a route is that one's. */
  domains?: string[]
  /** Where requests come in; by http, and by TLS at the rack's own port, when absent. */
  at?: WebWay[]
  /** True sends who comes by http to https, whatever certificate is shown there. */
  isTlsOnly?: true
  backend: Backend
}

/** By http, by TLS at the rack's own port, or by TLS at a port that files have opened: of several apps, told apart by name. */
export type WebWay = 'http' | 'https' | number

/** Connections to one port of the rack go to one process type. */
export interface TcpRoute {
  type: string
  /** The port on which the processes listen. */
  port: number
  /** The address on which the rack listens, such as `0.0.0.0`. */
  bind: string
  listenPort: number
  /** Where TLS ends at the router; it is passed on as it is when absent. */
  tls?: TlsEnd
  backend: Backend
}

/** Datagrams to one port of the rack go to one process type. */
export interface UdpRoute {
  type: string
  /** The port on which the processes listen. */
  port: number
  bind: string
  listenPort: number
  allowedSources?: string[]
  /** Process ids of copies that listen there. */
  processes: string[]
}

/** How a port that is no web port is reached by TLS. */
export interface TlsEnd {
  /** Exact names by which clients may ask for it; each has a certificate. */
  hosts: string[]
  /** Names of somebody's own, wildcards too. */
  domains?: string[]
  /** True where several apps have the port, told apart by the name that clients ask TLS for. */
  isShared?: true
}

/** Another rack's connections, through the entrance, to what is shared with it. */
export interface ShareRoute extends SharedPort {
  type: string
  /** The port on which the process listens. */
  port: number
  backend: Backend
}

/** Connections of an owner's processes to a service of another rack. */
export interface Way {
  /** Its owner's key: of an app, the name. */
  owner: string
  /** Of the link's version of the service. */
  id: string
  /** Where the router listens for them: an address that no interface has. */
  address: string
  port: number
  /** The addresses of the owner's processes; nobody else gets through. */
  subnet: string
  end: SharedEnd
}

/** How the copies of one type are watched and served. */
export interface Backend {
  /** Of `none` nothing is asked: a database takes note of who comes and says nothing. */
  check: { kind: 'none' } | { kind: 'tcp' } | { kind: 'http'; path: string; host?: string }
  /** Between two checks of a copy. */
  intervalMs: number
  timeoutMs: number
  /** Good checks in a row that bring a copy back. */
  rise: number
  /** Bad checks in a row that take a copy out. */
  fall: number
  /** How long connections to a leaving copy may last. */
  drainMs: number
  /** By what a client is known again; it meets the same copy as long as the copies stay the same. */
  sticky?: Sticky
  /** How long a connection may be silent; 10 minutes for HTTP and an hour for TCP when absent. */
  idleTimeoutMs?: number
  /** Addresses or networks (`10.0.0.0/8`) that may connect; everyone when absent. */
  allowedSources?: string[]
  /** Who may pass by name and password, http only; nobody is asked when absent. */
  passes?: Passes
  /** Begins every connection to a copy, a check's too, with the PROXY protocol: true is version 1, a line. */
  sendsProxy?: true | 'v2'
  /** True speaks TLS to the copies, whatever certificate they show. */
  isSecure?: true
  /** HTTP/2 is spoken to the copies: in clear, or by TLS as far as they can. */
  upstream?: Http2
  /** True leaves visitors by http there, though the host has a certificate that was brought. */
  keepsHttp?: true
  /** For how long browsers shall come by https alone, once they have come by it; http only. */
  hstsSeconds?: number
  /** How long a request waits where no copy serves and one is due; it is answered at once when absent. */
  holdMs?: number
  /** True while the copies that there were make place for others. */
  isDue?: true
  servers: Server[]
}

/** One copy that the caller has found healthy. */
export interface Server {
  /** The process id. */
  process: string
  /** The release that started the copy. */
  release: string
  address: string
  port: number
  /** True gets no new request: it is unhealthy, and another one is there. */
  isResting?: true
}

export type Route =
  | { kind: 'http'; app: string; route: HttpRoute }
  | { kind: 'tcp'; app: string; route: TcpRoute }
  | { kind: 'share'; app: string; route: ShareRoute }

/** Every route of the table, in its order. */
export function allRoutes(table: Pick<RouteTable, 'apps'>): Route[] {
  return table.apps.flatMap(({ app, http, tcp, shares = [] }) => [
    ...http.map((route): Route => ({ kind: 'http', app, route })),
    ...tcp.map((route): Route => ({ kind: 'tcp', app, route })),
    ...shares.map((route): Route => ({ kind: 'share', app, route })),
  ])
}

/** The name of a route's backend: its owner's key comes first and has no dot, so it can be read back. */
export function backendName({ app, kind, route }: Route): string {
  if (kind === 'share') return `${app}.share.${route.id}`
  const number = kind === 'http' ? route.port : route.listenPort
  return `${app}.${kind}.${number}.${escapeName(route.type)}`
}

/** The owner's key of a backend's name; null for the router's own backends. */
export function appOfBackend(name: string): string | null {
  const [app, kind] = name.split('.')
  return app !== undefined && (kind === 'http' || kind === 'tcp' || kind === 'share') ? app : null
}

/** The name of a copy inside its backend; it carries the release, so that statistics tell releases apart. */
export function serverName({ process: processId, release }: Pick<Server, 'process' | 'release'>): string {
  return `${escapeName(processId)}.${escapeName(release)}`
}

/** The server of an app's backend by which a worker that is replaced hands over what waits. */
export const handoverServer = 'handover'

/** The process id and the release of a server's name; null when it is no name of ours. */
export function readServerName(name: string): { process: string; release: string } | null {
  const [processId, release, rest] = name.split('.')
  if (!processId || !release || rest !== undefined) return null
  return { process: unescapeName(processId), release: unescapeName(release) }
}

/**
 * The table without some copies of an app.
 * @param isReplaced others will come: where none is left, one is due
 */
export function withoutProcesses(
  table: RouteTable,
  app: string,
  processes: readonly string[],
  isReplaced = false,
): RouteTable {
  const gone = new Set(processes)
  const strip = <R extends { backend: Backend }>(route: R): R => {
    const { backend } = route
    const servers = backend.servers.filter(({ process: processId }) => !gone.has(processId))
    const isLast = servers.length === 0 && backend.servers.length > 0
    return {
      ...route,
      backend: { ...backend, servers, ...(isReplaced && isLast && { isDue: true as const }) },
    }
  }
  const apps = table.apps.map((known) =>
    known.app === app
      ? {
          ...known,
          http: known.http.map(strip),
          tcp: known.tcp.map(strip),
          ...(known.udp && {
            udp: known.udp.map((route) => ({
              ...route,
              processes: route.processes.filter((processId) => !gone.has(processId)),
            })),
          }),
          ...(known.shares && { shares: known.shares.map(strip) }),
        }
      : known,
  )
  return { ...table, apps }
}

/** The table without the routes of some TCP ports. */
export function withoutPorts(table: RouteTable, ports: readonly number[]): RouteTable {
  const apps = table.apps.map((known) => ({
    ...known,
    http: known.http.map((route) =>
      route.at ? { ...route, at: route.at.filter((way) => !ports.includes(Number(way))) } : route,
    ),
    tcp: known.tcp.filter(({ listenPort }) => !ports.includes(listenPort)),
  }))
  const { httpsPort, entrance, ...rest } = table
  const isTls = httpsPort !== undefined && !ports.includes(httpsPort)
  const isOpen = entrance && !ports.includes(entrance.port)
  return { ...rest, ...(isTls && { httpsPort }), apps, ...(isOpen && { entrance }) }
}

/** HAProxy's names hold letters, digits and `-_.:`; the dot is our separator, the colon our escape. */
function escapeName(text: string): string {
  return Array.from(Buffer.from(text), (byte) => {
    const letter = String.fromCharCode(byte)
    return /[A-Za-z0-9_-]/.test(letter) ? letter : `:${byte.toString(16).padStart(2, '0')}`
  }).join('')
}

function unescapeName(text: string): string {
  return decodeURIComponent(text.replaceAll(/:([0-9a-f]{2})/g, '%$1'))
}
