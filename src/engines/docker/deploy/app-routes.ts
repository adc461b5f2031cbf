import { ownerKey } from '../../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { ownHost } from '../../../domain/own-host.ts'
import { isWeb, type Port } from '../../../domain/port.ts'
import type {
  AppRoutes,
  Backend,
  HttpRoute,
  Server,
  ShareRoute,
  TcpRoute,
  TlsEnd,
  UdpRoute,
} from '../../../router/route-table.ts'
import type { EngineParts } from '../parts.ts'
import { webPorts } from './web-ports.ts'
import { passesOf } from '../../../router/visitor-rules.ts'

/** A copy that may get traffic. */
export interface RoutedCopy {
  type: string
  process: string
  release: string
  address: string
}

/** The router checks more often than the type's own interval, so that a dead copy leaves soon. */
const longestCheckIntervalMs = 2000
/** Pools of databases keep connections that say nothing for long. */
const sharedIdleMs = 24 * 3_600_000

/** Where ports that are no web ports are reached. */
export interface TcpPlace {
  /** The address on which they listen, unless they are for this machine alone. */
  tcpBind: string
  /** Under which apps have their names. */
  domain: string
}

export function tcpPlace({ tcpBind, outside }: Pick<EngineParts, 'tcpBind' | 'outside'>): TcpPlace {
  return { tcpBind, domain: outside.domain }
}

/** The routes of a plan with these copies behind them; null when nothing of it is external. */
export function appRoutes(plan: Plan, copies: RoutedCopy[], place: TcpPlace): AppRoutes | null {
  const http: HttpRoute[] = []
  const tcp: TcpRoute[] = []
  const udp: UdpRoute[] = []
  for (const processPlan of plan.processes) {
    const { type, hosts, ports } = processPlan
    const own = copies.filter((copy) => copy.type === type)
    const backendAt = (port: Port) => ({
      ...backendOf(processPlan, port, own),
      ...visitorsOf(plan, processPlan, port),
    })
    for (const { port, ...ways } of webPorts(ports))
      http.push({ type, port: port.container, hosts, ...ways, backend: backendAt(port) })
    for (const port of ports) {
      if (port.external === null || isWeb(port.protocol)) continue
      const bind = port.isLocal ? '127.0.0.1' : place.tcpBind
      const { container, external: listenPort } = port
      if (port.protocol === 'udp') {
        const { allow } = processPlan.routing
        const allowed = allow ? { allowedSources: allow } : {}
        const processes = own.map((copy) => copy.process).sort()
        udp.push({ type, port: container, bind, listenPort, ...allowed, processes })
        continue
      }
      const tls = port.protocol === 'tls' ? { tls: tlsEnd(plan, type, port, place) } : {}
      tcp.push({
        type,
        port: port.container,
        bind,
        listenPort: port.external,
        ...tls,
        backend: backendAt(port),
      })
    }
  }
  const shares = plan.processes.flatMap((processPlan) => sharesOf(processPlan, copies))
  if (http.length + tcp.length + udp.length + shares.length === 0) return null
  return {
    app: ownerKey(plan.owner),
    http,
    tcp,
    ...(udp.length > 0 && { udp }),
    ...(shares.length > 0 && { shares }),
  }
}

function tlsEnd({ owner }: Plan, type: string, { isShared }: Port, { domain }: TcpPlace): TlsEnd {
  return { hosts: [ownHost(owner.name, type, domain)], ...(isShared && { isShared }) }
}

/** What other racks come in to. */
function sharesOf(processPlan: ProcessPlan, copies: RoutedCopy[]): ShareRoute[] {
  const { type, sharedWith = [], internalPorts, health, drainTimeoutMs } = processPlan
  const [port] = internalPorts
  if (port === undefined) return []
  const servers = copies.filter((copy) => copy.type === type)
  return sharedWith.map((shared) => ({
    ...shared,
    type,
    port,
    backend: {
      check: { kind: 'none' },
      intervalMs: Math.max(health.intervalMs, 1),
      timeoutMs: Math.max(health.timeoutMs, 1),
      rise: 1,
      fall: 1,
      drainMs: drainTimeoutMs,
      idleTimeoutMs: sharedIdleMs,
      servers: serversAt(port, servers),
    },
  }))
}

/**
 * The routes without the old copies that they would not reach: one that is made otherwise than the plan says stands only
 * where it was served before by the same protocol, at the same port and in the same manner. It is asked of the routes of
 * before, since nothing else says how an old copy is spoken to; one that they do not have stays out.
 */
export function withoutStrangers(
  routes: AppRoutes | null,
  before: AppRoutes | null,
  old: ReadonlySet<string>,
): AppRoutes | null {
  if (!routes) return null
  const strip = <R extends HttpRoute | TcpRoute>(route: R, known: R[] = []): R => {
    const alike = known.filter((other) => other.type === route.type && areSpokenToAlike(other, route))
    const isReached = ({ process: processId, port }: Server) =>
      alike.some(({ backend }) =>
        backend.servers.some((was) => was.process === processId && was.port === port),
      )
    const servers = route.backend.servers.filter((server) => !old.has(server.process) || isReached(server))
    return { ...route, backend: { ...route.backend, servers } }
  }
  const http = routes.http.map((route) => strip(route, before?.http))
  // An old copy stands where it was led to before, at the same port of its own.
  const udp = routes.udp?.map((route) => {
    const known = before?.udp?.filter(({ type, port }) => type === route.type && port === route.port) ?? []
    const isReached = (id: string) => !old.has(id) || known.some(({ processes }) => processes.includes(id))
    return { ...route, processes: route.processes.filter(isReached) }
  })
  return { ...routes, http, ...(udp && { udp }), tcp: routes.tcp.map((route) => strip(route, before?.tcp)) }
}

function areSpokenToAlike({ backend: one }: HttpRoute | TcpRoute, { backend: other }: HttpRoute | TcpRoute) {
  return (
    one.sendsProxy === other.sendsProxy && one.isSecure === other.isSecure && one.upstream === other.upstream
  )
}

/** How the router treats those who come through a port. */
function visitorsOf({ rack, owner }: Plan, { type, routing }: ProcessPlan, port: Port): Partial<Backend> {
  const { sticky, idleTimeoutMs, allow, auth, keepsHttp, hstsSeconds } = routing
  const isHttp = isWeb(port.protocol)
  return {
    // Only a request over HTTP names a header, a path and an account.
    ...(sticky && (isHttp || sticky.by === 'source') ? { sticky } : {}),
    ...(isHttp && auth.length > 0 ? { passes: passesOf(auth, `${rack} ${ownerKey(owner)} ${type}`) } : {}),
    ...(idleTimeoutMs === null ? {} : { idleTimeoutMs }),
    ...(allow ? { allowedSources: allow } : {}),
    ...(isHttp && keepsHttp ? { keepsHttp } : {}),
    ...(isHttp && hstsSeconds !== undefined ? { hstsSeconds } : {}),
    ...(port.proxy ? { sendsProxy: port.proxy === 'v2' ? ('v2' as const) : (true as const) } : {}),
    ...(port.secure ? { isSecure: true as const } : {}),
    ...(port.upstream ? { upstream: port.upstream } : {}),
  }
}

function backendOf(processPlan: ProcessPlan, port: Port, copies: RoutedCopy[]): Backend {
  const { health, drainTimeoutMs, holdMs } = processPlan
  const probed = health.port ?? processPlan.ports[0]?.container
  const isHttp = health.path !== null && probed === port.container
  return {
    check:
      isHttp && health.path !== null
        ? { kind: 'http', path: health.path, ...(health.host !== null && { host: health.host }) }
        : { kind: 'tcp' },
    intervalMs: Math.min(Math.max(health.intervalMs, 1), longestCheckIntervalMs),
    timeoutMs: Math.max(health.timeoutMs, 1),
    rise: Math.max(health.healthyThreshold, 1),
    fall: Math.max(health.unhealthyThreshold, 1),
    drainMs: drainTimeoutMs,
    ...(holdMs > 0 && { holdMs }),
    servers: serversAt(port.container, copies),
  }
}

function serversAt(port: number, copies: RoutedCopy[]): Server[] {
  const servers = copies.map(({ process: id, release, address }) => ({ process: id, release, address, port }))
  return servers.sort((a, b) => (a.process < b.process ? -1 : 1))
}
