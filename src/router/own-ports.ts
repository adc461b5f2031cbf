import { allRoutes, type RouteTable } from './route-table.ts'
import { webWays } from './web-ways.ts'

/** A port on which the router listens for an app, beside those of the rack. */
export interface OwnPort {
  /** The key of its owner. */
  app: string
  /** The process type. */
  type: string
  bind: string
  port: number
  transport: 'tcp' | 'udp'
  /** By what others who have the port too are told apart; null where nobody else may. */
  sharedBy: 'host' | 'sni' | null
}

/** As people are told of it. */
export function portText({ port, transport }: Pick<OwnPort, 'port' | 'transport'>): string {
  return `${transport === 'udp' ? 'udp port' : 'port'} ${port}`
}

/** The ports of the apps of a table; one that is shared is there for each who has it. */
export function ownPorts(table: RouteTable): OwnPort[] {
  return allRoutes(table).flatMap(({ kind, app, route }): OwnPort[] => {
    const { type } = route
    if (kind === 'tcp') {
      const sharedBy = route.tls?.isShared ? 'sni' : null
      return [{ app, type, bind: route.bind, port: route.listenPort, transport: 'tcp', sharedBy }]
    }
    if (kind === 'share') return []
    const ports = [...webWays(route, table)].filter((way) => typeof way === 'number')
    return ports.map((port) => ({
      app,
      type,
      bind: table.httpBind,
      port,
      transport: 'tcp',
      sharedBy: 'host',
    }))
  })
}

/** The udp ports of a table. */
export function udpPorts({ apps }: Pick<RouteTable, 'apps'>): OwnPort[] {
  return apps.flatMap(({ app, udp = [] }) =>
    udp.map(({ type, bind, listenPort: port }) => ({
      app,
      type,
      bind,
      port,
      transport: 'udp' as const,
      sharedBy: null,
    })),
  )
}
