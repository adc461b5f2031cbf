import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { createAgentChannel, type AgentChannel } from '../../../../test/fake-aws/ssm/agent-channel.ts'
import { collectTerminal } from '../../../../test/support/collect-terminal.ts'
import { controlFor } from '../../../../test/support/docker-rack.ts'
import type { AwsParts } from '../parts.ts'
import { execInTask } from './exec.ts'

const noPlace = 'Session limit: the container has its number of concurrent sessions'
const place = { taskArn: 'arn:task/one', container: 'main', process: 'PAAAAAAAAAA' }

/** An agent that says this to the order of a command; gives how many sessions were begun. */
async function execWith(answer: (agent: AgentChannel, order: string) => void): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.on('connection', (socket) => {
    socket.once('message', () => {
      const agent = createAgentChannel(socket, {
        ready: () => void agent.send(Buffer.from('ready\n')),
        input: (content) => answer(agent, content.toString()),
        size: () => undefined,
      })
    })
  })
  let begun = 0
  const executeCommand = async () => {
    begun++
    return await Promise.resolve({ session: { streamUrl: `ws://127.0.0.1:${port}`, tokenValue: 'token' } })
  }
  const parts = { clients: { ecs: { executeCommand } }, places: { cluster: 'c' } } as unknown as AwsParts
  const { terminal } = collectTerminal()
  try {
    await execInTask(parts, place, { command: ['true'], terminal }, controlFor(30_000))
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'engine-failed', String(error))
  } finally {
    server.close()
    for (const client of server.clients) client.terminate()
  }
  return begun
}

test('a command that has begun is begun no second time, whatever the agent says when it ends the session', async () => {
  const isOrder = (text: string) => text.startsWith('order ')
  assert.equal(await execWith((agent, text) => void (isOrder(text) && agent.end(noPlace))), 1)
})
