import { RackError } from '../domain/error.ts'
import { readOwnerKey } from '../domain/owner.ts'
import { isPortFree, isUdpPortFree } from '../lib/free-port.ts'
import { bindsOverlap } from './clashes.ts'
import { ownPorts, portText, udpPorts, type OwnPort } from './own-ports.ts'
import type { RouteTable } from './route-table.ts'
import { entranceTaken } from './share-table.ts'

/** Ports that a table has more than the one before, and that other programs of this machine have. */
export async function newPortsOfOthers(before: RouteTable, after: RouteTable): Promise<RackError[]> {
  // One that moves to an address around the one before is held by this router itself.
  const held = [...ownPorts(before), ...udpPorts(before)]
  const isOwn = ({ bind, port, transport }: OwnPort) =>
    held.some((own) => own.port === port && own.transport === transport && bindsOverlap(own.bind, bind))
  const taken: RackError[] = []
  for (const own of [...ownPorts(after), ...udpPorts(after)]) {
    const { app, bind, port, transport } = own
    const isFree = transport === 'udp' ? isUdpPortFree : isPortFree
    if (isOwn(own) || (await isFree(bind, port))) continue
    const hint = `Give ${readOwnerKey(app).name} another external port, or end the program.`
    const details = { port, app: null }
    const text = `${portText(own)} is held by another program on this machine`
    taken.push(new RackError('port-taken', text, { hint, details }))
  }
  return taken
}

/** The port at which other racks shall come in, where another program of this machine has it. */
export async function entrancePortOfOthers(
  { entrance: before }: RouteTable,
  { entrance }: RouteTable,
): Promise<RackError | null> {
  if (!entrance) return null
  const { bind, port } = entrance
  if (before && before.port === port && bindsOverlap(before.bind, bind)) return null
  return (await isPortFree(bind, port)) ? null : entranceTaken(port, 'another program on this machine')
}

/** The port that an error of HAProxy's says to be another program's; null for any other error. */
export function portTaken(error: unknown): number | null {
  if (!(error instanceof RackError) || error.code !== 'port-taken') return null
  return (error.details as { port?: number } | undefined)?.port ?? null
}

/** The ports of a table without which it can still be served: all but that of http. */
export function sparablePorts(table: RouteTable): number[] {
  return sparable(table).map(({ port }) => port)
}

function sparable(table: RouteTable): { bind: string; port: number }[] {
  const { httpBind, httpsPort, entrance } = table
  return [
    ...ownPorts(table),
    ...(httpsPort === undefined ? [] : [{ bind: httpBind, port: httpsPort }]),
    ...(entrance ? [entrance] : []),
  ]
}

/** Those of the blocked ports that other programs have still. */
export async function portsStillHeld(table: RouteTable, blocked: readonly number[]): Promise<number[]> {
  const held: number[] = []
  for (const { bind, port } of sparable(table)) {
    if (blocked.includes(port) && !(await isPortFree(bind, port))) held.push(port)
  }
  return held
}
