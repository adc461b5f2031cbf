import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { Port } from '../../../domain/port.ts'
import type { AppRoutes, Backend, HttpRoute, Server, TcpRoute } from '../router/route-table.ts'
import { passesOf } from '../router/visitor-rules.ts'

/** A copy that may get traffic. */
export interface Servant {
  type: string
  process: string
  release: string
  address: string
}

/** The router checks more often than the type's own interval, so that a dead copy leaves soon. */
const longestCheckIntervalMs = 2000

/** The routes of a plan with these copies behind them; null when nothing of it is external. */
export function appRoutes(plan: Plan, servants: Servant[], tcpBind: string): AppRoutes | null {
  const http: HttpRoute[] = []
  const tcp: TcpRoute[] = []
  for (const process of plan.processes) {
    const own = servants.filter(({ type }) => type === process.type)
    for (const port of process.ports) {
      if (port.external === null) continue
      const backend = { ...backendOf(process, port, own), ...visitorsOf(plan, process, port) }
      const { type, hosts } = process
      if (port.protocol !== 'http') {
        tcp.push({ type, port: port.container, bind: tcpBind, listenPort: port.external, backend })
      } else if (!http.some((route) => route.type === type)) {
        // Host names tell http processes apart, not the ports of one: the first is the one.
        http.push({ type, port: port.container, hosts, backend })
      }
    }
  }
  return http.length === 0 && tcp.length === 0 ? null : { app: plan.app, http, tcp }
}

/** Adds the routes of types that the plan has dropped, until their copies have drained. */
export function withLeavingRoutes(
  routes: AppRoutes | null,
  before: AppRoutes | null,
  types: string[],
): AppRoutes | null {
  if (!before || types.length === 0) return routes
  const hosts = new Set(routes?.http.flatMap((route) => route.hosts))
  const ports = new Set(routes?.tcp.map(({ listenPort }) => listenPort))
  const http = before.http
    .filter(({ type }) => types.includes(type))
    .map((route) => ({ ...route, hosts: route.hosts.filter((host) => !hosts.has(host)) }))
    .filter((route) => route.hosts.length > 0)
  const tcp = before.tcp.filter(({ type, listenPort }) => types.includes(type) && !ports.has(listenPort))
  if (http.length + tcp.length === 0) return routes
  return { app: before.app, http: [...(routes?.http ?? []), ...http], tcp: [...(routes?.tcp ?? []), ...tcp] }
}

/** How the router treats those who come through a port. */
function visitorsOf({ rack, app }: Plan, { type, routing }: ProcessPlan, port: Port): Partial<Backend> {
  const { sticky, idleTimeoutMs, allow, auth } = routing
  const isHttp = port.protocol === 'http'
  return {
    // Only a request over HTTP names a header, a path and an account.
    ...(sticky && (isHttp || sticky.by === 'source') ? { sticky } : {}),
    ...(isHttp && auth.length > 0 ? { passes: passesOf(auth, `${rack} ${app} ${type}`) } : {}),
    ...(idleTimeoutMs === null ? {} : { idleTimeoutMs }),
    ...(allow ? { allowedSources: allow } : {}),
    ...(port.proxy ? { sendsProxy: true as const } : {}),
    ...(port.secure ? { isSecure: true as const } : {}),
  }
}

function backendOf(process: ProcessPlan, port: Port, servants: Servant[]): Backend {
  const { health, drainTimeoutMs } = process
  const probed = health.port ?? process.ports[0]?.container
  const isHttp = health.path !== null && probed === port.container
  const servers = servants.map(({ process: id, release, address }): Server => {
    return { process: id, release, address, port: port.container }
  })
  return {
    check: isHttp && health.path !== null ? { kind: 'http', path: health.path } : { kind: 'tcp' },
    intervalMs: Math.min(Math.max(health.intervalMs, 1), longestCheckIntervalMs),
    timeoutMs: Math.max(health.timeoutMs, 1),
    rise: Math.max(health.healthyThreshold, 1),
    fall: Math.max(health.unhealthyThreshold, 1),
    drainMs: drainTimeoutMs,
    servers: servers.sort((a, b) => (a.process < b.process ? -1 : 1)),
  }
}
