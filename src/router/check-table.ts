import { RackError } from '../domain/error.ts'
import { isHost } from '../lib/host-and-port.ts'
import { isIpRange } from '../lib/ip-range.ts'
import { hostClashes, portClashes } from './clashes.ts'
import { udpPorts } from './own-ports.ts'
import {
  allRoutes,
  serverName,
  type AppRoutes,
  type Backend,
  type Route,
  type RouteTable,
} from './route-table.ts'
import { checkAddress, checkPem, checkPort, invalid } from './route-values.ts'

/**
 * The table with the routes of one app replaced, or taken out.
 *
 * @throws invalid for a value that the router cannot hold
 * @throws unsupported for a port that ends TLS where the rack speaks none
 * @throws conflict when another route has the host name
 * @throws port-taken when another route has the port; names the holder
 */
export function withApp(table: RouteTable, app: string, routes: AppRoutes | null): RouteTable {
  if (routes !== null && routes.app !== app) throw invalid('app', routes.app)
  const [missing] = routes === null ? [] : missingTls(table, routes)
  if (missing) throw missing
  const placed = placeApp(table, app, routes)
  return routes === null ? placed : checkTable(placed, app)
}

/** What others have already of the host names and ports of an app's routes. */
export function clashesOf(table: RouteTable, routes: AppRoutes): RackError[] {
  const placed = placeApp(table, routes.app, routes)
  return [
    ...missingTls(table, routes),
    ...hostClashes(placed, routes.app),
    ...portClashes(placed, routes.app),
  ]
}

/** A rack that speaks no TLS has none to end. */
function missingTls({ httpsPort }: RouteTable, { http, tcp }: AppRoutes): RackError[] {
  if (httpsPort !== undefined) return []
  const route = http.find(({ at }) => at?.some((way) => way !== 'http')) ?? tcp.find(({ tls }) => tls)
  if (!route) return []
  return [
    new RackError(
      'unsupported',
      `${route.type} has a port where TLS ends at the rack, and this rack speaks none`,
      {
        hint: 'Turn it on: rack stop --keep-router && rack start --https-port 443',
      },
    ),
  ]
}

function placeApp(table: RouteTable, app: string, routes: AppRoutes | null): RouteTable {
  const others = table.apps.filter((known) => known.app !== app)
  const apps = routes === null ? others : [...others, routes]
  return { ...table, apps: apps.sort((a, b) => (a.app < b.app ? -1 : 1)) }
}

/**
 * Looks at a whole table; `newcomer` is the app that is named as the one refused.
 *
 * @throws invalid, conflict, port-taken
 */
export function checkTable(table: RouteTable, newcomer: string | null = null): RouteTable {
  checkAddress('bind address', table.httpBind)
  checkPort(table.httpPort)
  if (table.httpsPort !== undefined) checkPort(table.httpsPort)
  for (const route of allRoutes(table)) checkRoute(route)
  for (const { bind, port } of udpPorts(table)) {
    checkAddress('bind address', bind)
    checkPort(port)
  }
  checkShares(table)
  const [clash] = [...hostClashes(table, newcomer), ...portClashes(table, newcomer)]
  if (clash) throw clash
  return table
}

// What reaches the configuration file is checked here, once: no value may end its line or its word.
function checkRoute({ kind, app, route }: Route): void {
  if (!/^[a-z0-9_][a-z0-9-]*$/.test(app)) throw invalid('app', app)
  if (route.type === '') throw invalid('process type', route.type)
  checkPort(route.port)
  if (kind === 'tcp') {
    checkPort(route.listenPort)
    checkAddress('bind address', route.bind)
    checkHosts(route.tls?.hosts ?? [])
  } else if (kind === 'share') {
    if (!/^[A-Z]+$/.test(route.id)) throw invalid('share', route.id)
    if (!route.allow.every(isIpRange)) throw invalid('source address', route.allow.join())
  } else {
    checkHosts(route.hosts)
    for (const way of route.at ?? []) if (way !== 'http' && way !== 'https') checkPort(way)
  }
  checkBackend(route.backend)
}

function checkHosts(hosts: string[]): void {
  const bad = hosts.find((host) => !/^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/.test(host))
  if (bad !== undefined) throw invalid('host name', bad)
}

function checkShares({ entrance, ways = [] }: RouteTable): void {
  if (entrance) {
    checkAddress('bind address', entrance.bind)
    checkPort(entrance.port)
    checkPem('authority', entrance.authority, ['CERTIFICATE'])
    checkPem('certificate', entrance.certificate, ['CERTIFICATE', 'PRIVATE KEY'])
    checkPem('list of what is taken back', entrance.revoked, ['X509 CRL'])
  }
  for (const { owner, id, address, port, subnet, end } of ways) {
    if (!/^[a-z0-9_][a-z0-9-]*$/.test(owner)) throw invalid('app', owner)
    if (!/^[A-Z]+$/.test(id) || !/^[A-Z]+$/.test(end.id)) throw invalid('share', `${id} ${end.id}`)
    checkAddress('address', address)
    if (!isIpRange(subnet)) throw invalid('source address', subnet)
    if (!isHost(end.host)) throw invalid('host', end.host)
    for (const each of [port, end.port]) checkPort(each)
    checkPem('authority', end.authority, ['CERTIFICATE'])
    checkPem('certificate', end.certificate, ['CERTIFICATE', 'PRIVATE KEY'])
  }
}

function checkBackend(backend: Backend): void {
  const { check, servers } = backend
  if (check.kind === 'http' && !/^\/[!-~]*$/.test(check.path)) throw invalid('health path', check.path)
  const host = check.kind === 'http' ? check.host : undefined
  if (host !== undefined && !/^[a-z0-9._:-]+$/.test(host)) throw invalid('health host', host)
  checkVisitors(backend)
  const {
    intervalMs,
    timeoutMs,
    rise,
    fall,
    drainMs,
    idleTimeoutMs = 1,
    holdMs = 0,
    hstsSeconds = 0,
  } = backend
  for (const [name, value] of Object.entries({ intervalMs, timeoutMs, rise, fall, idleTimeoutMs })) {
    if (!Number.isInteger(value) || value < 1) throw invalid(name, String(value))
  }
  for (const [name, value] of Object.entries({ drainMs, holdMs, hstsSeconds })) {
    if (!Number.isInteger(value) || value < 0) throw invalid(name, String(value))
  }
  for (const server of servers) {
    if (server.process === '' || server.release === '') throw invalid('process', server.process)
    checkAddress('process address', server.address)
    checkPort(server.port)
  }
  if (new Set(servers.map(serverName)).size < servers.length)
    throw invalid('servers', 'the same process twice')
}

function checkVisitors({ allowedSources, passes, sticky }: Backend): void {
  const stranger = allowedSources?.find((source) => !isIpRange(source))
  if (allowedSources?.length === 0 || stranger !== undefined) throw invalid('source address', stranger ?? '')
  if (sticky?.by === 'header' && !/^[A-Za-z0-9_-]+$/.test(sticky.name)) throw invalid('header', sticky.name)
  const areDigests = passes?.digests.every((digest) => /^[0-9A-F]{64}$/.test(digest)) ?? true
  if (!areDigests || passes?.digests.length === 0 || !/^[A-Za-z0-9+/]*=*$/.test(passes?.key ?? ''))
    throw invalid('passes', '')
}
