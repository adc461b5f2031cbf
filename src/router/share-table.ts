import { RackError } from '../domain/error.ts'
import type { ShareEntrance } from '../domain/share.ts'
import { checkTable } from './check-table.ts'
import { bindsOverlap, describeRoute } from './clashes.ts'
import { ownPorts } from './own-ports.ts'
import { allRoutes, backendName, type RouteTable, type Way } from './route-table.ts'

/** The name of a way's frontend and backend. */
export function wayName({ owner, id }: Pick<Way, 'owner' | 'id'>): string {
  return `${owner}.way.${id}`
}

/** Whether other racks have something of an owner's. */
export function hasShares({ apps }: Pick<RouteTable, 'apps'>, app: string): boolean {
  return apps.some((known) => known.app === app && (known.shares ?? []).length > 0)
}

/** Whether a backend belongs to a share or a way that is in the table no more. */
export function isGoneBackend(table: RouteTable): (name: string) => boolean {
  const known = new Set([...allRoutes(table).map(backendName), ...(table.ways ?? []).map(wayName)])
  return (name) => /^[^.]+\.(share|way)\./.test(name) && !known.has(name)
}

/** The table with the ways of one owner replaced. @throws invalid for a value that the router cannot hold */
export function withWays(table: RouteTable, owner: string, ways: readonly Way[]): RouteTable {
  const others = (table.ways ?? []).filter((way) => way.owner !== owner)
  const all = [...others, ...ways].sort((a, b) => (wayName(a) < wayName(b) ? -1 : 1))
  const { ways: _before, ...rest } = table
  return checkTable(all.length === 0 ? rest : { ...rest, ways: all })
}

/** The table with another entrance, or without one. @throws invalid; port-taken when an app has the port */
export function withEntrance(table: RouteTable, entrance: ShareEntrance | null): RouteTable {
  const { entrance: _before, ...rest } = table
  if (entrance === null) return rest
  const clash = ownPorts(rest).find(
    ({ bind, port }) => port === entrance.port && bindsOverlap(bind, entrance.bind),
  )
  if (clash) throw entranceTaken(entrance.port, describeRoute({ app: clash.app, route: clash }))
  return checkTable({ ...rest, entrance })
}

/** For a port of the entrance's that somebody else has. */
export function entranceTaken(port: number, holder: string): RackError {
  return new RackError('port-taken', `port ${port} is held by ${holder}`, {
    hint: 'Let other racks come in by another: rack parameters set shares.port=PORT',
    details: { port, app: null },
  })
}
