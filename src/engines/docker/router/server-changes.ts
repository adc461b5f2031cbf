import { serverArguments } from './haproxy-config.ts'
import { allRoutes, appOfBackend, backendName, serverName } from './route-table.ts'
import type { Backend, RouteTable, Server } from './route-table.ts'
import type { ServerState } from './runtime-api.ts'

/** A step that brings a running HAProxy to the table; `server` is `backend/name`. */
export type ServerChange =
  | { kind: 'add'; server: string; arguments: string }
  | { kind: 'move'; server: string; address: string; port: number }
  /** Let it take requests again. */
  | { kind: 'ready'; server: string }
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
export function planServerChanges(table: RouteTable, running: readonly ServerState[]): ServerChange[] {
  const wanted = wantedServers(table)
  const known = new Map(running.map((state) => [stateKey(state), state]))
  const changes: ServerChange[] = []
  for (const [server, { copy, backend }] of wanted) {
    const state = known.get(server)
    if (!state) {
      changes.push({ kind: 'add', server, arguments: serverArguments(copy, backend) })
      continue
    }
    if (state.address !== copy.address || state.port !== copy.port)
      changes.push({ kind: 'move', server, address: copy.address, port: copy.port })
    if (state.admin !== 'ready') changes.push({ kind: 'ready', server })
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

/** The Runtime API's commands for a change, in order, each with the reply that means it was done. */
export function changeCommands(change: ServerChange): [command: string, expected: RegExp | null][] {
  switch (change.kind) {
    case 'add':
      return [
        [`add server ${change.server} ${change.arguments}`, /^New server registered/],
        [`enable health ${change.server}`, null],
        [`set server ${change.server} state ready`, null],
      ]
    case 'move':
      return [[`set server ${change.server} addr ${change.address} port ${change.port}`, /changed|no need/]]
    case 'ready':
      // Health checks of a server that was added and never enabled are off.
      return [
        [`enable health ${change.server}`, null],
        [`set server ${change.server} state ready`, null],
      ]
    case 'drain':
      return [[`set server ${change.server} state drain`, null]]
  }
}

export const stateKey = ({ backend, name }: ServerState): string => `${backend}/${name}`

const isOurs = ({ backend }: ServerState): boolean => appOfBackend(backend) !== null

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
