import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { DockerClient } from '../../../src/engines/docker/client.ts'
import { inspectExec } from '../../../src/engines/docker/processes/exec-call.ts'
import { resizeWith } from '../../../src/engines/docker/processes/resize.ts'
import { endProcessTree } from '../../../src/lib/process-tree.ts'
import { AwsError, type Action, type FakeAccount } from '../fake-service.ts'
import type { Containers } from '../links.ts'
import { createAgentChannel, type TerminalSize } from './agent-channel.ts'
import { createAgentOutput, splitCommand } from './agent-output.ts'

/** The agent takes so many sessions a container (S). */
const mostSessions = 2
/** A session whose client is lost waits for it (D). */
const idleMs = 20 * 60_000
const limitWords = 'Session limit: the container has its number of concurrent sessions'

interface Session {
  container: string
  command: string
}

/** ExecuteCommand, and the sessions that it starts in containers. */
export interface Sessions {
  actions: Record<'ExecuteCommand', Action>
  /** Of the loopback, where sessions are. */
  port: number
  close(): Promise<void>
}

export async function createSessions(
  account: FakeAccount,
  { docker, containers }: { docker: DockerClient; containers: Containers },
): Promise<Sessions> {
  const waiting = new Map<string, Session>()
  const held = new Map<string, number>()
  const closing = new AbortController()
  const trouble = (error: unknown) => {
    if (!closing.signal.aborted) account.onTrouble(error)
  }
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  server.on('connection', (socket) => {
    socket.once('message', (data: RawData) => {
      const session = waiting.get(tokenOf(data))
      waiting.delete(tokenOf(data))
      if (!session) socket.close(1008, 'no such session')
      else void serve({ account, docker, held, signal: closing.signal }, socket, session).catch(trouble)
    })
  })
  return {
    port,
    actions: {
      async ExecuteCommand(input: {
        task: string
        container: string
        command: string
        interactive: boolean
        cluster: string
      }) {
        // S: nothing else is taken.
        if (!input.interactive) {
          throw new AwsError('InvalidParameterException', 'Interactive is the only mode supported currently.')
        }
        const container = containers.find(input.task, input.container)
        const sessionId = `ecs-execute-command-${randomUUID()}`
        const tokenValue = randomBytes(24).toString('base64')
        waiting.set(tokenValue, { container, command: input.command })
        const streamUrl = `ws://127.0.0.1:${port}/v1/data-channel/${sessionId}?role=publish_subscribe`
        return {
          clusterArn: input.cluster,
          taskArn: input.task,
          containerName: input.container,
          interactive: true,
          session: { sessionId, streamUrl, tokenValue },
        }
      },
    },
    async close() {
      closing.abort()
      for (const client of server.clients) client.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function tokenOf(data: RawData): string {
  const { TokenValue = '' } = JSON.parse((data as Buffer).toString()) as { TokenValue?: string }
  return TokenValue
}

interface Place {
  account: FakeAccount
  docker: DockerClient
  /** Sessions by container. */
  held: Map<string, number>
  signal: AbortSignal
}

async function serve(place: Place, socket: WebSocket, { container, command }: Session): Promise<void> {
  const { held } = place
  const count = held.get(container) ?? 0
  const isRefused = count >= mostSessions
  if (!isRefused) held.set(container, count + 1)
  const ready = Promise.withResolvers<void>()
  const typed: Buffer[] = []
  let give = (content: Buffer) => void typed.push(content)
  let size: TerminalSize | undefined
  let resize = (next: TerminalSize): void => {
    size = next
  }
  const { signal } = place
  const report = () => undefined
  const channel = createAgentChannel(socket, {
    ready: ready.resolve,
    input: (content) => give(content),
    size: (next) => resize(next),
  })
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await Promise.race([ready.promise, gone])
  if (isRefused) {
    channel.end(limitWords)
    return
  }
  try {
    const exec = await startAgentExec(place, container, splitCommand(command))
    for (const content of typed) exec.socket.write(content)
    give = (content) => void exec.socket.write(content)
    resize = ({ rows, cols: columns }) =>
      resizeWith(
        place.docker,
        `/exec/${exec.id}/resize`,
        { rows, columns, onResize() {} },
        { signal, report },
      )
    if (size) resize(size)
    void endWhenAlone(place, exec.id, gone, exec.ended).catch((error: unknown) =>
      place.account.onTrouble(error),
    )
    const output = createAgentOutput()
    for await (const chunk of exec.socket as AsyncIterable<Buffer>) await channel.send(output.push(chunk))
    channel.end('')
    exec.leave()
  } finally {
    held.set(container, (held.get(container) ?? 1) - 1)
  }
}

/** On a terminal and as root, whoever the container's user is (S). */
async function startAgentExec({ docker, signal }: Place, container: string, command: string[]) {
  const body = {
    Cmd: command,
    Tty: true,
    User: '0',
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  }
  const path = `/containers/${container}/exec`
  const { Id: id } = await docker.json<{ Id: string }>({ method: 'POST', path, body }, { signal })
  const start = { Detach: false, Tty: true }
  const socket = await docker.upgrade({ method: 'POST', path: `/exec/${id}/start`, body: start }, { signal })
  const { promise: ended, resolve: leave } = Promise.withResolvers<void>()
  return { id, socket, ended, leave }
}

/** A client that is lost may come back for a while; then the agent ends what it has started. */
async function endWhenAlone(
  { account, docker }: Place,
  exec: string,
  gone: Promise<void>,
  ended: Promise<void>,
): Promise<void> {
  const isOver = await Promise.race([gone.then(() => false), ended.then(() => true)])
  if (isOver) return
  if (
    await Promise.race([
      account.clock.pass(idleMs).then(
        () => false,
        () => false,
      ),
      ended.then(() => true),
    ])
  )
    return
  const { Running, Pid } = await inspectExec(docker, exec, { signal: AbortSignal.timeout(10_000) })
  if (Running && Pid > 1) await endProcessTree(Pid, 1000)
}
