import { RackError } from '../domain/error.ts'
import { ownerText, readOwnerKey } from '../domain/owner.ts'
import { ownPorts, portText, udpPorts, type OwnPort } from './own-ports.ts'
import { allRoutes, type Route, type RouteTable } from './route-table.ts'
import { webWays } from './web-ways.ts'

/** Host names that two routes want at one way in. */
export function hostClashes(table: RouteTable, newcomer: string | null): RackError[] {
  const clashes: RackError[] = []
  const holders = new Map<string, Route>()
  for (const route of newcomerLast(table, newcomer)) {
    if (route.kind !== 'http') continue
    const ways = [...webWays(route.route, table)]
    for (const host of route.route.hosts) {
      const places = ways.map((way) => `${way} ${host}`)
      const holder = places.map((place) => holders.get(place)).find((known) => known)
      if (holder) {
        const details = { host, ...holderOf(holder.app), type: holder.route.type }
        const text = `the host name ${host} is held by ${describeRoute(holder)}`
        clashes.push(new RackError('conflict', text, { details }))
      } else for (const place of places) holders.set(place, route)
    }
  }
  return clashes
}

interface Held extends Omit<OwnPort, 'app' | 'type'> {
  holder: string
  /** Null for the rack itself. */
  app: string | null
}

/** Ports that two want, and may not share. */
export function portClashes(table: RouteTable, newcomer: string | null): RackError[] {
  const clashes: RackError[] = []
  const rack = { bind: table.httpBind, transport: 'tcp' as const, sharedBy: null, app: null }
  const held: Held[] = [
    { ...rack, port: table.httpPort, holder: 'the HTTP router' },
    ...(table.httpsPort === undefined
      ? []
      : [{ ...rack, port: table.httpsPort, holder: 'the HTTPS router' }]),
  ]
  const { entrance } = table
  if (entrance) held.push({ ...rack, ...entrance, holder: 'the entrance for other racks' })
  const ports = [...ownPorts(table), ...udpPorts(table)]
  const sorted = [
    ...ports.filter(({ app }) => app !== newcomer),
    ...ports.filter(({ app }) => app === newcomer),
  ]
  for (const { app, type, bind, port, transport, sharedBy } of sorted) {
    const clash = held.find(
      (other) =>
        other.port === port &&
        other.transport === transport &&
        bindsOverlap(other.bind, bind) &&
        !(sharedBy && other.sharedBy === sharedBy && other.bind === bind),
    )
    if (clash) {
      const hint = `Give ${readOwnerKey(app).name} another external port${clash.app === null ? '' : ', or delete the holder'}.`
      const details = { port, ...(clash.app === null ? { app: null } : holderOf(clash.app)) }
      const text = `${portText({ port, transport })} is held by ${clash.holder}`
      clashes.push(new RackError('port-taken', text, { hint, details }))
    } else
      held.push({ bind, port, transport, sharedBy, holder: describeRoute({ app, route: { type } }), app })
  }
  return clashes
}

/** So that a clash names the one that was there before. */
function newcomerLast(table: RouteTable, newcomer: string | null): Route[] {
  const routes = allRoutes(table)
  return [...routes.filter(({ app }) => app !== newcomer), ...routes.filter(({ app }) => app === newcomer)]
}

export function bindsOverlap(a: string, b: string): boolean {
  const isAny = (bind: string) => bind === '0.0.0.0' || bind === '::'
  return a === b || isAny(a) || isAny(b)
}

export function describeRoute({ app, route }: { app: string; route: { type: string } }): string {
  return `${ownerText(readOwnerKey(app))} (${route.type})`
}

/** Who has something, for programs. */
function holderOf(key: string): Record<string, string> {
  const { kind, name } = readOwnerKey(key)
  return { [kind]: name }
}
