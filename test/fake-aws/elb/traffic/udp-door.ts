import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { inBackground } from '../../in-background.ts'
import { use } from './group-targets.ts'
import type { Nodes } from './nodes.ts'
import { isLetIn, stickiness } from './tcp-door.ts'
import type { Door, ElbState, Listener } from '../state.ts'

/** A flow of which nothing is heard for so long is forgotten (D). */
const idleMs = 120_000

/** What one client's address and port says, and is answered: it stays with its target while it goes on (D). */
interface Flow {
  upstream: Socket
  target: { address: string; port: number }
  heardMs: number
  isOver: boolean
  end(): void
}

/** A listener of UDP of a network balancer, open when this settles. */
export async function openUdpDoor(
  state: ElbState,
  { listener, nodes, port }: { listener: Listener; nodes: Nodes; port: number },
): Promise<Pick<Door, 'port' | 'close'>> {
  const { clock } = state.account
  const flows = new Map<string, Flow>()
  const server = createSocket('udp4')
  const open = (client: RemoteInfo): Flow | null => {
    const [rule] = nodes.view
    const group = rule?.step.is === 'forward' ? state.groups.get(rule.step.groups[0]!.arn) : undefined
    const member = group?.targets.choose(stickiness(group, client.address))
    if (!member) return null
    const key = keyOf(client)
    const upstream = createSocket('udp4')
    const flow: Flow = {
      upstream,
      target: member.target,
      heardMs: clock.now(),
      isOver: false,
      end() {
        if (flow.isOver) return
        flow.isOver = true
        flows.delete(key)
        done()
        upstream.close()
      },
    }
    const done = use(member, () => flow.end())
    flows.set(key, flow)
    upstream
      .on('error', () => flow.end())
      .on('message', (said, { address, port: from }) => {
        if (address !== flow.target.address || from !== flow.target.port) return
        flow.heardMs = clock.now()
        server.send(said, client.port, client.address)
      })
    inBackground(state.account, forgetIdle(state, flow))
    return flow
  }
  server.on('message', (said, client) => {
    if (!isLetIn(state, listener, client.address)) return
    // To whom nobody listens, nothing is answered (J).
    const flow = flows.get(keyOf(client)) ?? open(client)
    if (!flow) return
    flow.heardMs = clock.now()
    flow.upstream.send(said, flow.target.port, flow.target.address)
  })
  const listening = once(server, 'listening')
  server.bind({ port, address: '127.0.0.1', exclusive: true })
  await listening
  return {
    port: server.address().port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const flow of flows.values()) flow.end()
      await closed
    },
  }
}

const keyOf = ({ address, port }: RemoteInfo) => `${address}:${port}`

async function forgetIdle({ account }: ElbState, flow: Flow): Promise<void> {
  while (!flow.isOver) {
    const leftMs = flow.heardMs + idleMs - account.clock.now()
    if (leftMs <= 0) flow.end()
    else await account.clock.pass(leftMs)
  }
}
