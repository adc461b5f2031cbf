import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { connect as connectSecurely, createServer as createSecureServer } from 'node:tls'
import { use } from './group-targets.ts'
import type { Nodes } from './nodes.ts'
import { proxyHeader } from './proxy-header.ts'
import { shown } from './shown.ts'
import type { ElbState, Group, Listener } from '../state.ts'

/** A listener of a network balancer: each connection goes to one target, and stays there. */
export function tcpDoor(
  state: ElbState,
  listener: Listener,
  nodes: Nodes,
): { server: Server; cut: () => void } {
  const clients = new Set<Socket>()
  const take = (client: Socket) => {
    if (client.destroyed) return
    client.on('error', () => undefined)
    lead(state, nodes, client)
  }
  const server =
    listener.protocol === 'TLS'
      ? createSecureServer({ ...shown(state, listener), allowHalfOpen: true }, take)
      : createServer({ allowHalfOpen: true, pauseOnConnect: true }, take)
  // Whom the security group does not let in hears nothing from AWS; here it is cut, so that nobody waits (J).
  server.prependListener('connection', (client: Socket) => {
    // Below TLS, so that one that never got through it is cut too.
    clients.add(client)
    client.on('close', () => clients.delete(client))
    if (!isLetIn(state, listener, client.remoteAddress)) client.destroy()
  })
  return {
    server,
    cut() {
      for (const client of clients) client.destroy()
    },
  }
}

/** Whether the security groups of the balancer let an address in at a listener's port; all do where it has none (D). */
export function isLetIn(
  { letsIn }: Pick<ElbState, 'letsIn'>,
  { balancer: { securityGroups }, port, protocol }: Listener,
  address = '',
): boolean {
  if (securityGroups.length === 0) return true
  return letsIn(securityGroups, { protocol: protocol === 'UDP' ? 'udp' : 'tcp', port, address })
}

function lead(state: ElbState, nodes: Nodes, client: Socket): void {
  const [rule] = nodes.view
  const group = rule?.step.is === 'forward' ? state.groups.get(rule.step.groups[0]!.arn) : undefined
  const member = group?.targets.choose(group && stickiness(group, client.remoteAddress))
  // Nobody to lead to: a reset (D).
  if (!group || !member) {
    client.resetAndDestroy()
    return
  }
  const { address, port } = member.target
  const place = { host: address, port, allowHalfOpen: true, noDelay: true }
  // Certificates of targets are looked at by no balancer (D).
  const upstream =
    group.protocol === 'TLS'
      ? connectSecurely({ ...place, rejectUnauthorized: false })
      : createConnection(place)
  const done = use(member, () => {
    client.resetAndDestroy()
    upstream.destroy()
  })
  const hasHeader = group.attributes.get('proxy_protocol_v2.enabled') === 'true'
  const sent = hasHeader ? client.pipe(behind(proxyHeader(client))) : client
  sent.pipe(upstream).pipe(client)
  const end = (socket: Socket) => () => {
    if (!socket.destroyed) socket.resetAndDestroy()
  }
  upstream.on('error', end(client)).on('close', (hadError) => {
    done()
    if (hadError) end(client)()
  })
  client.on('error', end(upstream)).on('close', () => {
    if (!upstream.readableEnded || !upstream.writableEnded) upstream.destroy()
  })
}

/** D: "on_first_ack_with_payload": a header comes with the client's first bytes, and not before it sends any. */
function behind(header: Buffer): Transform {
  let isSent = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, isSent ? chunk : Buffer.concat([header, chunk]))
      isSent = true
    },
  })
}

/** By the client's address, where the group asks for it (D). */
export function stickiness(group: Group, address = ''): (member: { target: { address: string } }) => boolean {
  if (group.attributes.get('stickiness.enabled') !== 'true') return () => false
  const all = [...group.targets.members]
    .filter(({ state }) => state === 'healthy')
    .map(({ target }) => target.address)
  const sum = Buffer.from(address).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7)
  const chosen = all.sort()[sum % Math.max(all.length, 1)]
  return ({ target }) => target.address === chosen
}
