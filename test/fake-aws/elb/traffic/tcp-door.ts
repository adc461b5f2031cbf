import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { use } from './group-targets.ts'
import type { Nodes } from './nodes.ts'
import { proxyHeader } from './proxy-header.ts'
import type { ElbState, Group } from '../state.ts'

/** A listener of a network balancer: each connection goes to one target, and stays there. */
export function tcpDoor(state: ElbState, nodes: Nodes): { server: Server; cut: () => void } {
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    clients.add(client)
    client.on('close', () => clients.delete(client)).on('error', () => undefined)
    lead(state, nodes, client)
  })
  return {
    server,
    cut() {
      for (const client of clients) client.destroy()
    },
  }
}

function lead(state: ElbState, nodes: Nodes, client: Socket): void {
  const [rule] = nodes.view
  const group = rule?.step.is === 'forward' ? state.groups.get(rule.step.groups[0]!.arn) : undefined
  const member = group?.targets.choose(stickiness(group, client))
  // Nobody to lead to: a reset (D).
  if (!group || !member) {
    client.resetAndDestroy()
    return
  }
  const { address, port } = member.target
  const upstream = createConnection({ host: address, port, allowHalfOpen: true, noDelay: true })
  const done = use(member, () => {
    client.resetAndDestroy()
    upstream.destroy()
  })
  if (group.attributes.get('proxy_protocol_v2.enabled') === 'true') upstream.write(proxyHeader(client))
  client.pipe(upstream).pipe(client)
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

/** By the client's address, where the group asks for it (D). */
function stickiness(group: Group, client: Socket): (member: { target: { address: string } }) => boolean {
  const address = client.remoteAddress ?? ''
  if (group.attributes.get('stickiness.enabled') !== 'true') return () => false
  const all = [...group.targets.members]
    .filter(({ state }) => state === 'healthy')
    .map(({ target }) => target.address)
  const sum = Buffer.from(address).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7)
  const chosen = all.sort()[sum % Math.max(all.length, 1)]
  return ({ target }) => target.address === chosen
}
