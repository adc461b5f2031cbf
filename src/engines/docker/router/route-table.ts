import { isIP } from 'node:net'
import { RackError } from '../../../domain/error.ts'
import type { Sticky } from '../../../domain/routing.ts'
import { isIpRange } from '../../../lib/ip-range.ts'
import type { Passes } from './visitor-rules.ts'

/** Everything that the router serves; its file always holds the whole of it. */
export interface RouteTable {
  /** The address on which HTTP is served, such as `0.0.0.0`. */
  httpBind: string
  httpPort: number
  apps: AppRoutes[]
}

/** The routes of one app; applied whole. */
export interface AppRoutes {
  app: string
  http: HttpRoute[]
  tcp: TcpRoute[]
}

/** Requests for these host names go to one process type; a type may have no server, and then answers 503. */
export interface HttpRoute {
  type: string
  /** The port on which the processes listen. */
  port: number
  /** Exact names, lower-case, without a port. */
  hosts: string[]
  backend: Backend
}

/** Connections to one port of the rack go to one process type. */
export interface TcpRoute {
  type: string
  /** The port on which the processes listen. */
  port: number
  /** The address on which the rack listens, such as `0.0.0.0`. */
  bind: string
  listenPort: number
  backend: Backend
}

/** How the copies of one type are watched and served. */
export interface Backend {
  check: { kind: 'tcp' } | { kind: 'http'; path: string }
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
  /** True begins every connection to a copy, a check's too, with the PROXY protocol's line. */
  sendsProxy?: true
  /** True speaks TLS to the copies, whatever certificate they show. */
  isSecure?: true
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
}

export type Route =
  | { kind: 'http'; app: string; route: HttpRoute }
  | { kind: 'tcp'; app: string; route: TcpRoute }

/** Every route of the table, in its order. */
export function allRoutes(table: RouteTable): Route[] {
  return table.apps.flatMap(({ app, http, tcp }) => [
    ...http.map((route): Route => ({ kind: 'http', app, route })),
    ...tcp.map((route): Route => ({ kind: 'tcp', app, route })),
  ])
}

/** The name of a route's backend: the app comes first and has no dot, so it can be read back. */
export function backendName({ app, kind, route }: Route): string {
  const number = kind === 'http' ? route.port : route.listenPort
  return `${app}.${kind}.${number}.${escapeName(route.type)}`
}

/** The app of a backend's name; null for the router's own backends. */
export function appOfBackend(name: string): string | null {
  const [app, kind] = name.split('.')
  return app !== undefined && (kind === 'http' || kind === 'tcp') ? app : null
}

/** The name of a copy inside its backend; it carries the release, so that statistics tell releases apart. */
export function serverName({ process, release }: Pick<Server, 'process' | 'release'>): string {
  return `${escapeName(process)}.${escapeName(release)}`
}

/** The process id and the release of a server's name; null when it is no name of ours. */
export function readServerName(name: string): { process: string; release: string } | null {
  const [process, release, rest] = name.split('.')
  if (!process || !release || rest !== undefined) return null
  return { process: unescapeName(process), release: unescapeName(release) }
}

/**
 * The table with the routes of one app replaced, or taken out.
 *
 * @throws invalid for a value that the router cannot hold
 * @throws conflict when another route has the host name
 * @throws port-taken when another route has the port; names the holder
 */
export function withApp(table: RouteTable, app: string, routes: AppRoutes | null): RouteTable {
  const others = table.apps.filter((known) => known.app !== app)
  if (routes === null) return { ...table, apps: others }
  if (routes.app !== app) throw invalid('app', routes.app)
  return checkTable({ ...table, apps: [...others, routes].sort((a, b) => (a.app < b.app ? -1 : 1)) }, app)
}

/** The table without some copies of an app. */
export function withoutProcesses(table: RouteTable, app: string, processes: readonly string[]): RouteTable {
  const gone = new Set(processes)
  const strip = <R extends { backend: Backend }>(route: R): R => ({
    ...route,
    backend: { ...route.backend, servers: route.backend.servers.filter(({ process }) => !gone.has(process)) },
  })
  const apps = table.apps.map((known) =>
    known.app === app ? { ...known, http: known.http.map(strip), tcp: known.tcp.map(strip) } : known,
  )
  return { ...table, apps }
}

/** The table without the routes of some TCP ports. */
export function withoutPorts(table: RouteTable, ports: readonly number[]): RouteTable {
  const apps = table.apps.map((known) => ({
    ...known,
    tcp: known.tcp.filter(({ listenPort }) => !ports.includes(listenPort)),
  }))
  return { ...table, apps }
}

/**
 * Looks at a whole table; `newcomer` is the app that is named as the one refused.
 *
 * @throws invalid, conflict, port-taken
 */
export function checkTable(table: RouteTable, newcomer: string | null = null): RouteTable {
  checkAddress('bind address', table.httpBind)
  checkPort(table.httpPort)
  for (const route of allRoutes(table)) checkRoute(route)
  checkHosts(table, newcomer)
  checkPorts(table, newcomer)
  return table
}

function checkHosts(table: RouteTable, newcomer: string | null): void {
  const holders = new Map<string, Route>()
  for (const route of newcomerLast(table, newcomer)) {
    if (route.kind !== 'http') continue
    for (const host of route.route.hosts) {
      const holder = holders.get(host)
      if (holder) {
        throw new RackError('conflict', `the host name ${host} is held by ${describe(holder)}`, {
          details: { host, app: holder.app, type: holder.route.type },
        })
      }
      holders.set(host, route)
    }
  }
}

function checkPorts(table: RouteTable, newcomer: string | null): void {
  const held = [
    { bind: table.httpBind, port: table.httpPort, holder: 'the HTTP router', app: null as string | null },
  ]
  for (const route of newcomerLast(table, newcomer)) {
    if (route.kind !== 'tcp') continue
    const { bind, listenPort: port } = route.route
    const clash = held.find((other) => other.port === port && bindsOverlap(other.bind, bind))
    if (clash) {
      throw new RackError('port-taken', `port ${port} is held by ${clash.holder}`, {
        hint: `Give ${route.app} another external port, or delete the holder.`,
        details: { port, app: clash.app },
      })
    }
    held.push({ bind, port, holder: describe(route), app: route.app })
  }
}

/** So that a clash names the one that was there before. */
function newcomerLast(table: RouteTable, newcomer: string | null): Route[] {
  const routes = allRoutes(table)
  return [...routes.filter(({ app }) => app !== newcomer), ...routes.filter(({ app }) => app === newcomer)]
}

function bindsOverlap(a: string, b: string): boolean {
  const isAny = (bind: string) => bind === '0.0.0.0' || bind === '::'
  return a === b || isAny(a) || isAny(b)
}

function describe({ app, route }: Route): string {
  return `the app ${app} (${route.type})`
}

// What reaches the configuration file is checked here, once: no value may end its line or its word.
function checkRoute({ kind, app, route }: Route): void {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(app)) throw invalid('app', app)
  if (route.type === '') throw invalid('process type', route.type)
  checkPort(route.port)
  if (kind === 'tcp') {
    checkPort(route.listenPort)
    checkAddress('bind address', route.bind)
  } else {
    const bad = route.hosts.find((host) => !/^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/.test(host))
    if (bad !== undefined) throw invalid('host name', bad)
  }
  checkBackend(route.backend)
}

function checkBackend(backend: Backend): void {
  const { check, servers } = backend
  if (check.kind === 'http' && !/^\/[!-~]*$/.test(check.path)) throw invalid('health path', check.path)
  checkVisitors(backend)
  const { intervalMs, timeoutMs, rise, fall, drainMs, idleTimeoutMs = 1 } = backend
  for (const [name, value] of Object.entries({ intervalMs, timeoutMs, rise, fall, idleTimeoutMs })) {
    if (!Number.isInteger(value) || value < 1) throw invalid(name, String(value))
  }
  if (!Number.isInteger(drainMs) || drainMs < 0) throw invalid('drainMs', String(drainMs))
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

function checkAddress(what: string, address: string): void {
  if (!isIP(address)) throw invalid(what, address)
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid('port', String(port))
}

function invalid(what: string, value: string): RackError {
  return new RackError('invalid', `the router cannot hold the ${what} ${JSON.stringify(value)}`)
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
