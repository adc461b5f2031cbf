import type { Domain } from '../domain/domain-name.ts'
import type { AppRoutes, HttpRoute, RouteTable, TcpRoute, TlsEnd } from './route-table.ts'

/** The table with the domains of its apps at the routes that they lead to; one that leads to none of them is left out. */
export function withDomains(table: RouteTable, domains: readonly Domain[]): RouteTable {
  if (domains.length === 0) return table
  const apps = table.apps.map((known) => {
    const own = domains.filter(({ app }) => app === known.app)
    const ledTo = (type: string) =>
      own.filter((domain) => typeOf(known, domain) === type).map(({ name }) => name)
    const http = known.http.map((route) => {
      const led = ledTo(route.type)
      return led.length === 0 ? route : { ...route, domains: led }
    })
    const tcp = known.tcp.map((route) => {
      const led = route.tls ? ledTo(route.type) : []
      return led.length === 0 ? route : { ...route, tls: { ...route.tls!, domains: led } }
    })
    return { ...known, http, tcp }
  })
  return { ...table, apps }
}

/** As an app's own name: that of its only HTTP process, or of `web`; where none serves HTTP, of its only one with a TLS port. */
function typeOf({ http, tcp }: AppRoutes, { process }: Domain): string | undefined {
  if (process !== null) return process
  const tls = tcp.filter((route) => route.tls)
  const types = new Set((http.length > 0 ? http : tls).map(({ type }) => type))
  return types.size === 1 ? [...types][0] : 'web'
}

/** Names that what is in a table has by itself: the first of each route before the rest. */
export function ownNamesOf({ apps }: Pick<RouteTable, 'apps'>): string[] {
  const routes = apps.flatMap(({ http, tcp }) => [...http, ...tcp.flatMap(({ tls }) => tls ?? [])])
  const all = routes.map(({ hosts }) => hosts)
  return [...new Set([...all.flatMap((hosts) => hosts.slice(0, 1)), ...all.flat()])]
}

/** Every name of the table by which http is asked for; an app's own names are last, and go before the domains of others. */
export function namesOf({
  apps,
}: Pick<RouteTable, 'apps'>): { name: string; app: string; route: HttpRoute }[] {
  const routes = apps.flatMap(({ app, http }) => http.map((route) => ({ app, route })))
  const names = (of: (route: HttpRoute) => readonly string[]) =>
    routes.flatMap(({ app, route }) => of(route).map((name) => ({ name, app, route })))
  return [...names((route) => route.domains ?? []), ...names((route) => route.hosts)]
}

/** The same of ports that end TLS and are no web ports. */
export function tlsNamesOf({
  apps,
}: Pick<RouteTable, 'apps'>): { name: string; app: string; route: TcpRoute }[] {
  const ends = apps.flatMap(({ app, tcp }) =>
    tcp.flatMap((route) => (route.tls ? [{ app, route, tls: route.tls }] : [])),
  )
  const names = (of: (tls: TlsEnd) => readonly string[]) =>
    ends.flatMap(({ app, route, tls }) => of(tls).map((name) => ({ name, app, route })))
  return [...names((tls) => tls.domains ?? []), ...names((tls) => tls.hosts)]
}
