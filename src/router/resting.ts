import type { AppRoutes, HttpRoute, TcpRoute } from './route-table.ts'

/**
 * The routes of an app with copies set aside: they get no new request where another one can take it.
 * @param resting process ids of the copies that are to be set aside
 * @param down process ids of those that the router finds down by itself: they can take nothing
 */
export function withResting(
  routes: AppRoutes,
  resting: ReadonlySet<string>,
  down: ReadonlySet<string> = new Set(),
): AppRoutes {
  const setAside = <R extends HttpRoute | TcpRoute>(route: R): R => {
    const { servers } = route.backend
    const canServe = servers.some(({ process: id }) => !resting.has(id) && !down.has(id))
    const marked = servers.map(({ isResting: _before, ...server }) =>
      canServe && resting.has(server.process) ? { ...server, isResting: true as const } : server,
    )
    return { ...route, backend: { ...route.backend, servers: marked } }
  }
  return { ...routes, http: routes.http.map(setAside), tcp: routes.tcp.map(setAside) }
}
