import { createHash } from 'node:crypto'
import type { ApiRoute } from './api-route.ts'
import { healthHost } from '../domain/port.ts'
import type { RouterShares } from '../domain/router-load.ts'
import { hostAndPort } from '../lib/host-and-port.ts'
import { shortHash } from '../lib/short-hash.ts'
import { plainText, quote, section } from './haproxy-syntax.ts'
import { dueCopies, duePath, holdProgram, holdRules, type DueCopies } from './hold.ts'
import { cameByTls, handoverSocket, renderFrontends, tunnelMs } from './http-frontends.ts'
import { handoverTo } from './listeners.ts'
import { KeyFiles, renderEntrance, renderWays, type KeyFile } from './share-config.ts'
import { hostMaps, sniPorts, type HostMap } from './host-maps.ts'
import { allRoutes, backendName, handoverServer, serverName } from './route-table.ts'
import type { Backend, Route, RouteTable, Server } from './route-table.ts'
import { shareRules, shareTables } from './share-rules.ts'
import { renderSniPort, renderTcpFrontend, renderTcpIdle, tcpHandoverSocket } from './tcp-frontends.ts'
import type { RouterPatience } from './shares.ts'
import { tlsDefaults } from './tls/https-config.ts'
import type { Shown } from './tls/shown-certificates.ts'
import { httpVisitorRules, tcpVisitorRules } from './visitor-rules.ts'

/** What the configuration depends on besides the routes. */
export interface ConfigSettings {
  /** The router's own directory; absolute. */
  directory: string
  /** The user and group that serve, when HAProxy is started by root. */
  runAs?: { user: string; group: string } | undefined
  /** How long a replaced worker may keep its last connections. */
  hardStopAfterMs: number
  /** Addresses and networks whose word on the client is believed. */
  trustedProxies: readonly string[]
  shares: RouterShares
  patience: RouterPatience
  /** What is shown to those who come by TLS; null where none is spoken. */
  shown: Shown | null
  /** Where the rack's own API is asked for; nowhere when absent. */
  api?: ApiRoute | undefined
  /** True where HAProxy can run the program by which requests wait for a copy that is due. */
  canHold: boolean
}

/** The files of one table; they are written together. */
export interface RenderedTable {
  config: string
  /** No part of the structure: HAProxy is told of changes. */
  maps: HostMap[]
  /** Null where no TLS is spoken. */
  shown: Shown | null
  /** By what requests wait; null where none does. */
  hold: RenderedHold | null
  /** Certificates and keys, by which other racks come in and are come in to. */
  keys: KeyFile[]
  /** Names everything but the servers: a running HAProxy that says the same name needs no reload. */
  structure: string
}

export interface RenderedHold {
  program: string
  /** Carries a hash of its content: an old configuration never meets a new program. */
  programPath: string
  due: DueCopies
  duePath: string
}

/** The socket of HAProxy's master, in the router's directory. */
export const masterSocket = (directory: string): string => `${directory}/master.sock`

/** The socket of the worker that serves. */
export const statsSocket = (directory: string): string => `${directory}/stats.sock`

const defaultHttpIdleMs = 600_000

/** The configuration of HAProxy (2.6 and later) for a table; the same input gives the same bytes. */
export function renderTable(table: RouteTable, settings: ConfigSettings): RenderedTable {
  const maps = hostMaps(table, settings.directory, settings.shown !== null)
  const routes = allRoutes(table)
  const hold = renderHold(table, settings)
  const keys = new KeyFiles(settings.directory)
  const render = (structure: string, withServers: boolean): string =>
    [
      renderGlobal(settings, hold, structure),
      renderDefaults(settings.patience),
      ...renderFrontends(table, settings),
      ...shareTables().map(([title, lines]) => section(title, lines)),
      ...(settings.shown
        ? sniPorts(table).map((place) => renderSniPort(table, place, { ...settings, shown: settings.shown! }))
        : []),
      ...routes.map((route) => renderRoute(route, settings, withServers)),
      ...renderEntrance(table, settings.shares, keys),
      ...renderWays(table, settings.shares, keys),
    ].join('\n')
  // The hash is over the same text, without what the Runtime API can change.
  const structure = shortHash(render('', false))
  const { shown } = settings
  const config = render(structure, true)
  return { config, maps, shown, hold, keys: keys.all(), structure }
}

function renderHold(table: RouteTable, { canHold, directory }: ConfigSettings): RenderedHold | null {
  if (!canHold || !allRoutes(table).some(({ route }) => route.backend.holdMs)) return null
  const program = holdProgram(directory)
  const programPath = `${directory}/hold-${shortHash(program)}.lua`
  return { program, programPath, due: dueCopies(table), duePath: duePath(directory) }
}

/** By TLS a copy may choose HTTP/1.1, for all or for websockets alone. */
const http2Arguments = { h2c: 'proto h2', h2: 'alpn h2,http/1.1 check-alpn h2,http/1.1' }

/** What follows `server NAME` in the file and `add server BACKEND/NAME` in the Runtime API. */
export function serverArguments(
  server: Server,
  backend: Backend,
  { copy }: Pick<RouterShares, 'copy'>,
): string {
  const { intervalMs, rise, fall, sticky, sendsProxy, isSecure, upstream } = backend
  return [
    hostAndPort(server.address, server.port),
    // Idle connections go soon: they would hold up the removal of a server.
    ...(backend.check.kind === 'none' ? [] : [`check inter ${intervalMs} rise ${rise} fall ${fall}`]),
    `pool-purge-delay 1s maxconn ${copy}`,
    // By default servers are numbered as they come, and a reload would send clients elsewhere.
    ...(sticky ? [`id ${stableNumber(server.process)}`] : []),
    ...(sendsProxy ? [`send-proxy${sendsProxy === 'v2' ? '-v2' : ''} check-send-proxy`] : []),
    ...(isSecure ? ['ssl verify none check-ssl'] : []),
    ...(upstream ? [http2Arguments[upstream]] : []),
    ...(server.isResting ? ['weight 0'] : []),
  ].join(' ')
}

function renderGlobal(settings: ConfigSettings, hold: RenderedHold | null, structure: string): string {
  const { directory, runAs, hardStopAfterMs, shares } = settings
  return section('global', [
    `description ${structure || '-'}`,
    ...(runAs ? [`user ${runAs.user}`, `group ${runAs.group}`] : []),
    `stats socket ${quote(statsSocket(directory))} mode 600 level admin expose-fd listeners`,
    'stats timeout 30s',
    `hard-stop-after ${hardStopAfterMs}ms`,
    'mworker-max-reloads 50',
    `maxconn ${shares.connections}`,
    ...(settings.shown ? tlsDefaults() : []),
    ...(hold ? [`lua-load ${quote(hold.programPath)}`] : []),
    // A limit of files that has become lower since it was read is told, and keeps no app down.
    'no strict-limits',
  ])
}

function renderDefaults({ clientMs, queueMs, endedClientMs, endedCopyMs }: RouterPatience): string {
  return section('defaults', [
    'timeout connect 5s',
    `timeout queue ${queueMs}ms`,
    // Counts while the client has something to do: not while the process is silent, and not in a websocket.
    `timeout client ${clientMs}ms`,
    `timeout client-fin ${endedClientMs}ms`,
    // To cut it, HAProxy would end the half that has ended already: it would hold up a copy that leaves.
    `timeout server-fin ${endedCopyMs}ms`,
    `timeout server ${defaultHttpIdleMs}ms`,
    'timeout http-request 10s',
    'timeout http-keep-alive 10s',
    // A replaced worker lets an idle client ask once more, rather than close while the request is on its way.
    'option idle-close-on-response',
    `timeout tunnel ${tunnelMs}ms`,
    'retries 3',
    'option redispatch 1',
    // Only when nothing was sent: a request that may have been acted upon is never sent twice.
    'retry-on conn-failure',
    'option splice-auto',
    errorText(502, 'The process closed the connection without a whole answer.'),
    errorText(503, 'This site cannot answer at the moment. Please try again in a little while.'),
    errorText(504, 'The process did not answer in time.'),
  ])
}

/** What waits, and what waits in a worker that is replaced: its weight keeps all others from the server. */
function renderHolding(
  { kind, route: { backend } }: Route,
  name: string,
  { canHold }: ConfigSettings,
): { rules: string[]; servers: string[] } {
  if (!canHold || !backend.holdMs || kind === 'share') return { rules: [], servers: [] }
  const socket = kind === 'http' ? handoverSocket : tcpHandoverSocket(name)
  return {
    rules: [...holdRules(kind, backend), `use-server ${handoverServer} if { stopping }`],
    servers: [`server ${handoverServer} ${handoverTo(socket)} weight 0`],
  }
}

function renderRoute(route: Route, settings: ConfigSettings, withServers: boolean): string {
  const name = backendName(route)
  const { backend } = route.route
  const { shares } = settings
  const servers = withServers
    ? backend.servers.map(
        (server) => `server ${serverName(server)} ${serverArguments(server, backend, shares)}`,
      )
    : [
        `# server * ${serverArguments({ process: '', release: '', address: '0.0.0.0', port: 0 }, backend, shares)}`,
      ]
  const lines =
    route.kind === 'http'
      ? renderHttpBackend(route.app, backend)
      : [
          ...renderBalance(backend, 'leastconn'),
          ...renderTcpIdle(backend, 'server'),
          ...(isBySni(route) ? tcpVisitorRules(backend, 'content') : []),
        ]
  const kind = route.kind === 'http' ? 'http' : 'tcp'
  const rules = shareRules(kind, route.app, shares)
  const holding = renderHolding(route, name, settings)
  const text = section(`backend ${name}`, [
    `mode ${kind}`,
    ...lines,
    ...rules,
    ...holding.rules,
    ...renderCheck(route),
    ...holding.servers,
    ...servers,
  ])
  const frontend = route.kind === 'tcp' ? renderTcpFrontend(route.route, name, settings) : null
  return frontend === null ? text : `${frontend}\n${text}`
}

/** Whoever comes to a port of several apps is known only once it has said to whom. */
function isBySni(route: Route): boolean {
  return route.kind === 'tcp' && route.route.tls?.isShared === true
}

function renderHttpBackend(app: string, backend: Backend): string[] {
  const { idleTimeoutMs, hstsSeconds } = backend
  return [
    ...renderBalance(backend, 'roundrobin'),
    `timeout server ${idleTimeoutMs ?? defaultHttpIdleMs}ms`,
    `timeout tunnel ${idleTimeoutMs ?? tunnelMs}ms`,
    ...httpVisitorRules(backend, app),
    ...(hstsSeconds === undefined
      ? []
      : [
          `http-response set-header Strict-Transport-Security max-age=${hstsSeconds} if { var(${cameByTls}) -m found }`,
        ]),
  ]
}

/** Servers can come at run time only where the algorithm is a dynamic one: a hash is when it is a consistent one. */
function renderBalance({ sticky }: Backend, otherwise: string): string[] {
  if (!sticky) return [`balance ${otherwise}`]
  const key = sticky.by === 'header' ? `hdr(${sticky.name})` : sticky.by
  return [`balance ${key}`, 'hash-type consistent']
}

function renderCheck({ kind, route }: Route): string[] {
  const { check, timeoutMs } = route.backend
  if (check.kind === 'none') return []
  if (check.kind === 'tcp') return [`timeout check ${timeoutMs}ms`]
  // A name that the app is known by: frameworks refuse names that they were not told.
  const host = healthHost({ host: check.host ?? null }, kind === 'http' ? route.hosts : [])
  return [
    `timeout check ${timeoutMs}ms`,
    'option httpchk',
    `http-check send meth GET uri ${quote(check.path)} ver HTTP/1.1 hdr Host ${host}`,
    'http-check expect status 200-399',
  ]
}

function errorText(status: number, text: string): string {
  return `http-error status ${status} ${plainText(text)}`
}

/** 1 to 2147483647, the numbers that a server may have; copies of one backend hardly ever share one. */
function stableNumber(text: string): number {
  const hash = createHash('sha256').update(text).digest().readUInt32BE()
  return (hash % 0x7f_ff_ff_ff) + 1
}
