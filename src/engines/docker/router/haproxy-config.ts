import { createHash } from 'node:crypto'
import { allRoutes, backendName, serverName } from './route-table.ts'
import type { Backend, Route, RouteTable, Server } from './route-table.ts'
import { httpVisitorRules, tcpVisitorRules } from './visitor-rules.ts'

/** What the configuration depends on besides the routes. */
export interface ConfigSettings {
  /** The router's own directory; absolute. */
  directory: string
  /** The user and group that serve, when HAProxy is started by root. */
  runAs?: { user: string; group: string } | undefined
  /** How long a replaced worker may keep its last connections. */
  hardStopAfterMs: number
}

/** The files of one table; they are written together. */
export interface RenderedTable {
  config: string
  /** Host name to backend, one a line. */
  hosts: string
  /** The file's name carries a hash of its content: an old configuration never meets a new map. */
  hostsPath: string
  /** Names everything but the servers: a running HAProxy that says the same name needs no reload. */
  structure: string
}

/** The socket of HAProxy's master, in the router's directory. */
export const masterSocket = (directory: string): string => `${directory}/master.sock`

/** The socket of the worker that serves. */
export const statsSocket = (directory: string): string => `${directory}/stats.sock`
const defaultHttpIdleMs = 600_000
const defaultTcpIdleMs = 3_600_000
/** How long a client's connection may be idle, and so may still send a request to a worker that was replaced. */
export const idleClientMs = 10_000

const tunnelMs = 3_600_000

/** The configuration of HAProxy (2.6 and later) for a table; the same input gives the same bytes. */
export function renderTable(table: RouteTable, settings: ConfigSettings): RenderedTable {
  const hosts = renderHosts(table)
  const hostsPath = `${settings.directory}/hosts-${shortHash(hosts)}.map`
  const routes = allRoutes(table)
  const render = (structure: string, withServers: boolean): string =>
    [
      renderGlobal(settings, structure),
      renderDefaults(longestIdleMs(routes)),
      renderHttpFrontend(table, hostsPath),
      ...routes.map((route) => renderRoute(route, withServers)),
    ].join('\n')
  // The hash is over the same text, without what the Runtime API can change.
  const structure = shortHash(render('', false))
  return { config: render(structure, true), hosts, hostsPath, structure }
}

/** What follows `server NAME` in the file and `add server BACKEND/NAME` in the Runtime API. */
export function serverArguments(server: Server, backend: Backend): string {
  const { intervalMs, rise, fall, sticky, sendsProxy, isSecure } = backend
  return [
    addressAndPort(server.address, server.port),
    // Idle connections go soon: they would hold up the removal of a server.
    `check inter ${intervalMs} rise ${rise} fall ${fall} pool-purge-delay 1s`,
    // By default servers are numbered as they come, and a reload would send clients elsewhere.
    ...(sticky ? [`id ${stableNumber(server.process)}`] : []),
    ...(sendsProxy ? ['send-proxy check-send-proxy'] : []),
    ...(isSecure ? ['ssl verify none check-ssl'] : []),
  ].join(' ')
}

function renderGlobal({ directory, runAs, hardStopAfterMs }: ConfigSettings, structure: string): string {
  return section('global', [
    `description ${structure || '-'}`,
    ...(runAs ? [`user ${runAs.user}`, `group ${runAs.group}`] : []),
    `stats socket ${quote(statsSocket(directory))} mode 600 level admin expose-fd listeners`,
    'stats timeout 30s',
    `hard-stop-after ${hardStopAfterMs}ms`,
    'mworker-max-reloads 50',
    // Where the limit of files is endless, HAProxy would reserve memory for a billion connections.
    'fd-hard-limit 200000',
  ])
}

/** The client's side must not be shorter than what a backend allows. */
function longestIdleMs(routes: Route[]): number {
  return Math.max(tunnelMs, ...routes.map(({ route }) => route.backend.idleTimeoutMs ?? 0))
}

function renderDefaults(clientMs: number): string {
  return section('defaults', [
    'timeout connect 5s',
    'timeout queue 30s',
    `timeout client ${clientMs}ms`,
    `timeout server ${defaultHttpIdleMs}ms`,
    'timeout http-request 10s',
    `timeout http-keep-alive ${idleClientMs}ms`,
    // A replaced worker lets an idle client ask once more, rather than close while the request is on its way.
    'option idle-close-on-response',
    `timeout tunnel ${tunnelMs}ms`,
    'retries 3',
    'option redispatch 1',
    // Only when nothing was sent: a request that may have been acted upon is never sent twice.
    'retry-on conn-failure',
    'option splice-auto',
    errorText(502, 'The process closed the connection without a whole answer.'),
    errorText(503, 'No process of this app can answer now; type: rack ps'),
    errorText(504, 'The process did not answer in time.'),
  ])
}

function renderHttpFrontend(table: RouteTable, hostsPath: string): string {
  const frontend = section('frontend http', [
    'mode http',
    `bind ${addressAndPort(table.httpBind, table.httpPort)}`,
    // Replaced, not appended: what a client says of itself is not evidence.
    'http-request set-header X-Forwarded-For %[src]',
    'http-request set-header X-Forwarded-Proto http',
    'http-request set-header X-Forwarded-Port %[dst_port]',
    // Without a condition, which would look for the host again: a request that names none reaches no process.
    'http-request set-header X-Forwarded-Host %[req.hdr(host)]',
    'http-request del-header Forwarded',
    'http-request del-header X-Real-IP',
    'http-request del-header Proxy',
    `use_backend %[req.hdr(host),host_only,lower,map_str(${quote(hostsPath)},no-such-host)]`,
    'default_backend no-such-host',
  ])
  const unknown = section('backend no-such-host', [
    'mode http',
    `http-request return status 404 ${plainText('No app by that host name is here; type: rack apps')}`,
  ])
  return `${frontend}\n${unknown}`
}

function renderRoute(route: Route, withServers: boolean): string {
  const name = backendName(route)
  const { backend } = route.route
  const servers = withServers
    ? backend.servers.map((server) => `server ${serverName(server)} ${serverArguments(server, backend)}`)
    : [`# server * ${serverArguments({ process: '', release: '', address: '0.0.0.0', port: 0 }, backend)}`]
  const lines =
    route.kind === 'http'
      ? renderHttpBackend(route.app, backend)
      : [...renderBalance(backend, 'leastconn'), ...renderTcpIdle(backend)]
  const text = section(`backend ${name}`, [`mode ${route.kind}`, ...lines, ...renderCheck(route), ...servers])
  return route.kind === 'http' ? text : `${renderTcpFrontend(route, name)}\n${text}`
}

function renderHttpBackend(app: string, backend: Backend): string[] {
  const { idleTimeoutMs } = backend
  return [
    ...renderBalance(backend, 'roundrobin'),
    `timeout server ${idleTimeoutMs ?? defaultHttpIdleMs}ms`,
    `timeout tunnel ${idleTimeoutMs ?? tunnelMs}ms`,
    ...httpVisitorRules(backend, app),
  ]
}

function renderTcpFrontend({ route }: Route & { kind: 'tcp' }, name: string): string {
  const { idleTimeoutMs = defaultTcpIdleMs } = route.backend
  return section(`frontend ${name}`, [
    'mode tcp',
    `bind ${addressAndPort(route.bind, route.listenPort)}`,
    `timeout client ${idleTimeoutMs}ms`,
    ...tcpVisitorRules(route.backend),
    `default_backend ${name}`,
  ])
}

function renderTcpIdle({ idleTimeoutMs = defaultTcpIdleMs }: Backend): string[] {
  return [`timeout server ${idleTimeoutMs}ms`, `timeout tunnel ${idleTimeoutMs}ms`]
}

/** Servers can come at run time only where the algorithm is a dynamic one: a hash is when it is a consistent one. */
function renderBalance({ sticky }: Backend, otherwise: string): string[] {
  if (!sticky) return [`balance ${otherwise}`]
  const key = sticky.by === 'header' ? `hdr(${sticky.name})` : sticky.by
  return [`balance ${key}`, 'hash-type consistent']
}

function renderCheck({ kind, route }: Route): string[] {
  const { check, timeoutMs } = route.backend
  if (check.kind === 'tcp') return [`timeout check ${timeoutMs}ms`]
  // A name that the app is known by: frameworks refuse names that they were not told.
  const host = (kind === 'http' && route.hosts.toSorted()[0]) || 'localhost'
  return [
    `timeout check ${timeoutMs}ms`,
    'option httpchk',
    `http-check send meth GET uri ${quote(check.path)} ver HTTP/1.1 hdr Host ${host}`,
    'http-check expect status 200-399',
  ]
}

function renderHosts(table: RouteTable): string {
  const lines = allRoutes(table).flatMap((route) =>
    route.kind === 'http' ? route.route.hosts.map((host) => `${host} ${backendName(route)}\n`) : [],
  )
  return lines.sort().join('')
}

function section(title: string, lines: string[]): string {
  return `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

function errorText(status: number, text: string): string {
  return `http-error status ${status} ${plainText(text)}`
}

function plainText(text: string): string {
  return `content-type "text/plain; charset=utf-8" string "${text}\\n"`
}

/** Inside single quotes HAProxy takes every character as it is. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function addressAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** 1 to 2147483647, the numbers that a server may have; copies of one backend hardly ever share one. */
function stableNumber(text: string): number {
  const hash = createHash('sha256').update(text).digest().readUInt32BE()
  return (hash % 0x7f_ff_ff_ff) + 1
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
