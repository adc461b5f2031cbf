import type { RouterShares } from '../domain/router-load.ts'
import { serverArguments } from './haproxy-config.ts'
import { allRoutes, appOfBackend, backendName, readServerName, serverName } from './route-table.ts'
import type { Backend, RouteTable, Server } from './route-table.ts'
import type { ServerState } from './runtime-api.ts'

/** A step that brings a running HAProxy to the table; `server` is `backend/name`. */
export type ServerChange =
  | { kind: 'add'; server: string; arguments: string; isChecked: boolean }
  | { kind: 'move'; server: string; address: string; port: number }
  /** Let it take requests again. */
  | { kind: 'ready'; server: string; isChecked: boolean }
  /** What it gets of new requests: its share, or nothing. */
  | { kind: 'weigh'; server: string; weight: 0 | 1 }
  /** Not in the table: no new request goes there. */
  | { kind: 'drain'; server: string }

/** A server that is not in the table any more, and still known to HAProxy. */
export interface LeavingServer {
  server: string
  /** How long its connections may last from now on. */
  drainMs: number
  leftMs: number
}

/** What separates the servers that HAProxy has from those of the table; empty when nothing does. */
export function planServerChanges(
  table: RouteTable,
  running: readonly ServerState[],
  shares: Pick<RouterShares, 'copy'>,
): ServerChange[] {
  const wanted = wantedServers(table)
  const known = new Map(running.map((state) => [stateKey(state), state]))
  const changes: ServerChange[] = []
  for (const [server, { copy, backend }] of wanted) {
    const state = known.get(server)
    const isChecked = backend.check.kind !== 'none'
    if (!state) {
      changes.push({ kind: 'add', server, arguments: serverArguments(copy, backend, shares), isChecked })
      continue
    }
    if (state.address !== copy.address || state.port !== copy.port)
      changes.push({ kind: 'move', server, address: copy.address, port: copy.port })
    if (state.admin !== 'ready') changes.push({ kind: 'ready', server, isChecked })
    const weight = copy.isResting ? 0 : 1
    if (state.weight !== weight) changes.push({ kind: 'weigh', server, weight })
  }
  for (const state of running) {
    const server = stateKey(state)
    if (isOurs(state) && !wanted.has(server) && state.admin === 'ready')
      changes.push({ kind: 'drain', server })
  }
  return changes
}

/** The servers that drain, or wait to be deleted. */
export function leavingServers(table: RouteTable, running: readonly ServerState[]): LeavingServer[] {
  const wanted = wantedServers(table)
  const drains = new Map(allRoutes(table).map((route) => [backendName(route), route.route.backend.drainMs]))
  return running
    .filter((state) => isOurs(state) && state.admin !== 'ready' && !wanted.has(stateKey(state)))
    .map((state) => ({
      server: stateKey(state),
      drainMs: drains.get(state.backend) ?? 0,
      leftMs: state.secondsSinceChange * 1000,
    }))
}

/** The copies of the table whose servers are among these, by app. */
export function downCopies(table: RouteTable, servers: ReadonlySet<string>): Map<string, Set<string>> {
  const byApp = new Map<string, Set<string>>()
  for (const route of allRoutes(table)) {
    const isDown = (copy: Server) => servers.has(`${backendName(route)}/${serverName(copy)}`)
    const down = route.route.backend.servers.filter(isDown).map((copy) => copy.process)
    if (down.length > 0) byApp.set(route.app, new Set([...(byApp.get(route.app) ?? []), ...down]))
  }
  return byApp
}

/** The Runtime API's commands for a change, in order, each with the reply that means it was done. */
export function changeCommands(change: ServerChange): [command: string, expected: RegExp | null][] {
  switch (change.kind) {
    case 'add':
      return [
        [`add server ${change.server} ${change.arguments}`, /^New server registered/],
        ...readyCommands(change),
      ]
    case 'move':
      return [[`set server ${change.server} addr ${change.address} port ${change.port}`, /changed|no need/]]
    case 'ready':
      return readyCommands(change)
    case 'weigh':
      return [[`set server ${change.server} weight ${change.weight}`, null]]
    case 'drain':
      return [[`set server ${change.server} state drain`, null]]
  }
}

function readyCommands({ server, isChecked }: { server: string; isChecked: boolean }): [string, null][] {
  return [
    // Checks of a server that was added are off until then; HAProxy refuses it for one that has none.
    ...(isChecked ? [[`enable health ${server}`, null] as [string, null]] : []),
    [`set server ${server} state ready`, null],
  ]
}

export const stateKey = ({ backend, name }: ServerState): string => `${backend}/${name}`

/** A copy of an app: its backend may have a server of the router's own. */
const isOurs = ({ backend, name }: ServerState): boolean =>
  appOfBackend(backend) !== null && readServerName(name) !== null

function wantedServers(table: RouteTable): Map<string, { copy: Server; backend: Backend }> {
  return new Map(
    allRoutes(table).flatMap((route) => {
      const { backend } = route.route
      return backend.servers.map(
        (copy) => [`${backendName(route)}/${serverName(copy)}`, { copy, backend }] as const,
      )
    }),
  )
}
