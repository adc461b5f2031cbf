import { once } from 'node:events'
import { createServer, isIPv4, type Server } from 'node:net'
import { httpDoor } from './http-door.ts'
import { Nodes } from './nodes.ts'
import type { Door, ElbState, Listener } from '../state.ts'
import { tcpDoor } from './tcp-door.ts'
import { openUdpDoor } from './udp-door.ts'

/** Opens a listener's port on loopback, unless the balancer's security group closes it. */
export async function openDoor(state: ElbState, listener: Listener): Promise<Door> {
  const nodes = new Nodes(state, listener)
  const refresh = () => nodes.refresh()
  const port = listener.balancer.listenOn(listener.port)
  if (port === null) return { port, refresh, close: async () => undefined }
  if (listener.protocol === 'UDP')
    return { refresh, ...(await openUdpDoor(state, { listener, nodes, port })) }
  const { server, cut } =
    listener.balancer.type === 'application'
      ? httpDoor(state, listener, nodes)
      : tcpDoor(state, listener, nodes)
  await listen(server, { port, host: '127.0.0.1' })
  const front = isIPv4(listener.balancer.dnsName) ? await openFront(server, listener) : null
  const bound = (server.address() as { port: number }).port
  const close = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    front?.close()
    server.close()
    cut()
    await closed
  }
  return { port: bound, refresh, close }
}

/** Where it is by its own name, on the port that it has in the account. */
async function openFront(server: Server, { port, balancer }: Listener): Promise<Server> {
  const front = createServer((socket) => server.emit('connection', socket))
  await listen(front, { port, host: balancer.dnsName })
  return front
}

async function listen(server: Server, at: { port: number; host: string }): Promise<void> {
  const listening = once(server, 'listening')
  server.listen({ ...at, exclusive: true })
  await listening
}
