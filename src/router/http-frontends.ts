import { apiRules, renderApi, type ApiRoute } from './api-route.ts'
import { plainText, quote, section } from './haproxy-syntax.ts'
import { bindLine, handoverBind, handoverTo } from './listeners.ts'
import { requestRules, trustedProxyList } from './request-rules.ts'
import { allRoutes, type RouteTable, type WebWay } from './route-table.ts'
import { connectionRules } from './share-rules.ts'
import { challengeRules, namelessRules, redirectRules, tlsBind } from './tls/https-config.ts'
import { hostMapPath, ownWebPorts } from './web-ways.ts'
import type { Shown } from './tls/shown-certificates.ts'
import type { RouterShares } from '../domain/router-load.ts'

/**
 * Where the worker that serves takes over requests of a replaced one. It lies in the directory that HAProxy runs in, and
 * is named from there: the account that serves may not look into the directories above.
 */
export const handoverSocket = 'unix@handover.sock'
const handover = 'handover'
/** The name of the map of hosts by which a request asks. */
const nameAsked = 'txn.rack_name'
/** Set on a request that came by TLS. */
export const cameByTls = 'txn.rack_https'
/** How long what is no request any more may be silent. */
export const tunnelMs = 3_600_000

/** What the ways in depend on besides the routes. */
export interface FrontendSettings {
  /** The router's own. */
  directory: string
  runAs?: { user: string; group: string } | undefined
  trustedProxies: readonly string[]
  shares: RouterShares
  shown: Shown | null
  /** Where the rack's own API is asked for; nowhere when absent. */
  api?: ApiRoute | undefined
}

/** What is asked by http and by TLS goes to the same backends. */
export function renderFrontends(table: RouteTable, settings: FrontendSettings): string[] {
  const { shown, api } = settings
  const isServed = shown !== null && table.httpsPort !== undefined
  // What came by TLS is handed over without it, to a socket of its own, which stands for that.
  const tlsWay = (way: WebWay, port: number): Way => {
    const name = way === 'https' ? 'https' : `https-${port}`
    return {
      name,
      handover: `handover-${name}`,
      socket: `unix@handover-${name}.sock`,
      mapPath: hostMapPath(settings.directory, way),
      bind: `${bindLine(table.httpBind, port)} ${tlsBind(shown!)}`,
      before: [...namelessRules(), ...challengeRules(shown!)],
      own: api && way === 'https' ? apiRules(api) : [],
      after: [`http-request set-var(${cameByTls}) bool(true)`],
    }
  }
  const ways: Way[] = [
    {
      name: 'http',
      handover,
      socket: handoverSocket,
      mapPath: hostMapPath(settings.directory, 'http'),
      bind: bindLine(table.httpBind, table.httpPort),
      before: isServed ? challengeRules(shown) : [],
      own: [],
      after: isServed ? redirectRules(shown, nameAsked, table.httpsPort!) : [],
    },
    ...(isServed ? [tlsWay('https', table.httpsPort!)] : []),
    ...(shown ? ownWebPorts(table).map((port) => tlsWay(port, port)) : []),
  ]
  const idleMs = longestIdleMs(table)
  return [
    ...ways.map((way) => renderHttpFrontend(way, settings)),
    section('backend no-such-host', [
      'mode http',
      `http-request return status 404 ${plainText('There is no site by this name here.')}`,
    ]),
    ...(isServed && api ? [renderApi()] : []),
    ...ways.map((way) => renderHandover(way, idleMs)),
  ]
}

/** By which name of the map a request asks: its own, else the wildcard around it. */
function nameRules(mapPath: string): string[] {
  const host = 'req.fhdr(host),host_only'
  const wildcard = `${host},regsub(^[^.]*,*)`
  return [
    `http-request set-var(${nameAsked}) ${host}`,
    `http-request set-var(${nameAsked}) ${wildcard} unless { var(${nameAsked}),map_str(${quote(mapPath)}) -m found }`,
  ]
}

/** One in which requests come in. */
interface Way {
  name: string
  /** The backend by which a replaced worker hands on what comes, and where the one that serves takes it. */
  handover: string
  socket: string
  bind: string
  /** By which map its names lead to backends. */
  mapPath: string
  /** Rules before and behind those of every request. */
  before: string[]
  after: string[]
  /** Where it leads besides the map of hosts. */
  own: string[]
}

function renderHttpFrontend(way: Way, settings: FrontendSettings): string {
  const { shares, trustedProxies } = settings
  const { mapPath } = way
  return section(`frontend ${way.name}`, [
    'mode http',
    way.bind,
    handoverBind(way.socket, settings),
    ...trustedProxyList(trustedProxies),
    ...connectionRules(shares, {
      hasTrustedProxies: trustedProxies.length > 0,
      endsTls: way.name !== 'http',
    }),
    ...way.before,
    ...requestRules(trustedProxies, way.name === 'http' ? 'http' : 'https'),
    ...nameRules(mapPath),
    ...way.after,
    // A replaced worker knows the copies of before; what it has begun it ends, what comes it hands to the one that serves.
    `use_backend ${way.handover} if { stopping }`,
    ...way.own,
    `use_backend %[var(${nameAsked}),map_str(${quote(mapPath)},no-such-host)]`,
    'default_backend no-such-host',
  ])
}

/** The client's address goes along, and no connection is kept: the worker that serves now may be replaced too. */
function renderHandover({ handover: name, socket }: Way, idleMs: number): string {
  return section(`backend ${name}`, [
    'mode http',
    `timeout server ${idleMs}ms`,
    `timeout tunnel ${idleMs}ms`,
    `server serving ${handoverTo(socket)}`,
  ])
}

/** What a worker hands on must not end sooner than any backend lets it. */
function longestIdleMs(table: RouteTable): number {
  return Math.max(tunnelMs, ...allRoutes(table).map(({ route }) => route.backend.idleTimeoutMs ?? 0))
}
