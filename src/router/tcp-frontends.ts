import { section, quote } from './haproxy-syntax.ts'
import { isAt, sniMapPath, sniName, type SniPort } from './host-maps.ts'
import { bindLine, handoverBind } from './listeners.ts'
import { trustedProxyList } from './request-rules.ts'
import type { Backend, RouteTable, TcpRoute } from './route-table.ts'
import { connectionRules } from './share-rules.ts'
import type { RouterShares } from '../domain/router-load.ts'
import type { RouterPatience } from './shares.ts'
import { shortHash } from '../lib/short-hash.ts'
import { tlsBind } from './tls/https-config.ts'
import type { Shown } from './tls/shown-certificates.ts'
import { tcpVisitorRules } from './visitor-rules.ts'

/** What the ways in by tcp depend on besides the routes. */
export interface TcpSettings {
  /** The router's own. */
  directory: string
  runAs?: { user: string; group: string } | undefined
  trustedProxies: readonly string[]
  shares: RouterShares
  patience: Pick<RouterPatience, 'clientMs' | 'queueMs'>
  canHold: boolean
  shown: Shown | null
}

const defaultIdleMs = 3_600_000
const halfClosedMs = 60_000
/** The name by which a client asks TLS for a port that several apps have. */
const sniAsked = 'txn.rack_name'

/** Where the worker that serves takes over connections of one tcp route. */
export const tcpHandoverSocket = (backend: string) => `unix@handover-${shortHash(backend)}.sock`

/** The way in of one route; null where it has none of its own. */
export function renderTcpFrontend(route: TcpRoute, name: string, settings: TcpSettings): string | null {
  const { backend, bind, listenPort, tls } = route
  const { shares, trustedProxies, canHold, shown } = settings
  const handover = canHold && backend.holdMs ? [handoverBind(tcpHandoverSocket(name), settings)] : []
  const isAlone = !tls?.isShared && (!tls || shown !== null)
  const listening = isAlone
    ? [`${bindLine(bind, listenPort)}${tls ? ` ${tlsEnd(tls.hosts, shown!)}` : ''}`]
    : []
  if (listening.length + handover.length === 0) return null
  return section(`frontend ${name}`, [
    'mode tcp',
    ...listening,
    ...handover,
    ...(tls ? renderTlsIdle([backend], settings) : renderTcpIdle(backend, 'client')),
    ...tcpVisitorRules(backend),
    ...trustedProxyList(trustedProxies),
    ...connectionRules(shares, { hasTrustedProxies: trustedProxies.length > 0, endsTls: tls !== undefined }),
    `default_backend ${name}`,
  ])
}

/** A port of TLS that several apps may have: the name that a client asks TLS for leads to the backend, no name nowhere. */
export function renderSniPort(
  { apps }: Pick<RouteTable, 'apps'>,
  place: SniPort,
  settings: TcpSettings & { shown: Shown },
): string {
  const { shares, trustedProxies, shown, directory } = settings
  const routes = apps.flatMap(({ tcp }) => tcp.filter((route) => isAt(route, place)))
  const found = `var(${sniAsked}),map_str(${quote(sniMapPath(directory, place))})`
  const asked = `tcp-request content set-var(${sniAsked})`
  return section(`frontend ${sniName(place)}`, [
    'mode tcp',
    `${bindLine(place.bind, place.port)} ${tlsBind(shown, [])}`,
    ...renderTlsIdle(
      routes.map(({ backend }) => backend),
      settings,
    ),
    ...trustedProxyList(trustedProxies),
    ...connectionRules(shares, { hasTrustedProxies: trustedProxies.length > 0, endsTls: true }),
    `${asked} ssl_fc_sni,lower`,
    `${asked} ssl_fc_sni,lower,regsub(^[^.]*,*) unless { ${found} -m found }`,
    `tcp-request content reject unless { ${found} -m found }`,
    `use_backend %[${found}]`,
  ])
}

/** Who names no host is shown the certificate of the first: nobody else's is behind the port. */
function tlsEnd([first = '']: readonly string[], shown: Shown): string {
  return tlsBind({ ...shown, defaultPath: shown.files.get(first) ?? shown.defaultPath }, [])
}

/** As long as what comes leads nowhere yet: in TLS, or while it waits. From then on the backend's tunnel counts. */
function renderTlsIdle(
  backends: Backend[],
  { patience: { clientMs, queueMs } }: Pick<TcpSettings, 'patience'>,
): string[] {
  const holdMs = Math.max(...backends.map((backend) => backend.holdMs ?? 0))
  const endedMs = Math.max(...backends.map(({ idleTimeoutMs }) => idleTimeoutMs ?? halfClosedMs))
  return [`timeout client ${clientMs + queueMs + holdMs}ms`, `timeout client-fin ${endedMs}ms`]
}

export function renderTcpIdle(
  { idleTimeoutMs }: Pick<Backend, 'idleTimeoutMs'>,
  side: 'client' | 'server',
): string[] {
  const tunnel = side === 'server' ? [`timeout tunnel ${idleTimeoutMs ?? defaultIdleMs}ms`] : []
  return [
    `timeout ${side} ${idleTimeoutMs ?? defaultIdleMs}ms`,
    `timeout ${side}-fin ${idleTimeoutMs ?? halfClosedMs}ms`,
    ...tunnel,
  ]
}
