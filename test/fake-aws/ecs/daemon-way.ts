import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { FakeAccount } from '../fake-service.ts'
import type { TaskNetwork } from '../links.ts'
import type { EcsState, TaskRecord } from './state.ts'
import { startMs } from './tasks/holder.ts'
import { labelsOf } from './task-network.ts'
import { authorityUrl } from '../databases/certificates.ts'

/** How a rack's daemon reaches the account as a task of it: all of the account is on this machine's loopback. */
export interface DaemonWay {
  /** What the account's network does by itself elsewhere. */
  environment(): Promise<Record<string, string>>
  /** Ports of a task's own loopback, and the ports of the network's gateway to which they have to lead. */
  doors(): Promise<{ port: number; to: number }[]>
  close(): Promise<void>
}

interface Options {
  account: FakeAccount
  network: TaskNetwork
  endpoint: () => string
  /** Ports of the loopback by which the account names what it has: its registry, its sessions. */
  ports: () => Promise<number[]>
  /** Whom databases of the account have their certificates of: PEM. */
  databaseAuthority: () => string
}

/** Called as whom a daemon is known. */
const accessKeyId = 'AKIADAEMON'
/** Where Fargate has the credentials of a task's role, and what it says of where they are (D). */
const credentialsAddress = '169.254.170.2'
const credentialsPort = 80
const credentialsPath = '/v2/credentials/daemon'
/** As often as the account's own clock makes sense of it. */
const mostFactor = 1000

/** @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html */
export function createDaemonWay({
  account,
  network,
  endpoint,
  ports,
  databaseAuthority,
}: Options): DaemonWay {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  const listen = async (server: Server): Promise<number> => {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.listen(0, network.gateway)
    await once(server, 'listening')
    servers.push(server)
    return (server.address() as AddressInfo).port
  }
  const leadTo = async (port: number) => await listen(tunnelTo(port))
  const endpointDoor = onFirstUse(async () => await leadTo(Number(new URL(endpoint()).port)))
  const doors = onFirstUse(async () => {
    const others = (await ports()).map(async (port) => ({ port, to: await leadTo(port) }))
    const credentials = { port: credentialsPort, to: await listen(credentialsServer()) }
    return [credentials, ...(await Promise.all(others))]
  })
  return {
    async environment() {
      return {
        AWS_ENDPOINT_URL: `http://${network.gateway}:${await endpointDoor()}`,
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: credentialsPath,
        RACK_AWS_CLOCK: String(Math.min(mostFactor, Math.max(1, account.clock.factor / 10))),
        RACK_DATABASE_AUTHORITIES: authorityUrl(databaseAuthority()),
      }
    },
    doors,
    // A daemon that is gone with its network has told nobody.
    async close() {
      const closed = servers.map((server) => once(server, 'close'))
      for (const server of servers) server.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

function onFirstUse<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => (made ??= make())
}

/** Every connection goes on to a port of the loopback. */
function tunnelTo(port: number): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const other = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.pipe(other)
    other.pipe(socket)
    for (const end of [socket, other]) {
      end.on('error', () => {
        socket.destroy()
        other.destroy()
      })
    }
  })
  return server
}

/** S: what the SDK reads of them. */
function credentialsServer(): Server {
  return createHttpServer((request, response) => {
    if (request.url !== credentialsPath) return void response.writeHead(404).end()
    const Expiration = new Date(Date.now() + 6 * 3600_000).toISOString()
    const found = { AccessKeyId: accessKeyId, SecretAccessKey: 'fake', Token: 'fake', Expiration }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found))
  })
}

/** Whether a task is a rack's daemon, by the variable that only it has. */
export function isDaemon({ definition }: TaskRecord): boolean {
  return definition.definition.containerDefinitions.some(({ environment = [] }) =>
    environment.some(({ name }) => name === 'RACK_INSTALLATION'),
  )
}

/** Has a task's own loopback lead to where the account is, and the address of credentials to them. @returns Docker's id of what does so */
export async function openDoors(
  { docker, account, network }: EcsState,
  way: DaemonWay,
  { task, holderId }: { task: TaskRecord; holderId: string },
  signal: AbortSignal,
): Promise<string> {
  const doors = await way.doors()
  const script = [
    `ip address add ${credentialsAddress}/32 dev lo`,
    ...doors.map(({ port, to }) => `nc -ll -p ${port} -e nc ${network.gateway} ${to} &`),
    'wait',
  ]
  const body = {
    Image: 'busybox:1',
    Cmd: ['sh', '-ec', script.join('\n')],
    Healthcheck: { Test: ['NONE'] },
    Labels: await labelsOf(account.run),
    HostConfig: { NetworkMode: `container:${holderId}`, CapAdd: ['NET_ADMIN'] },
  }
  const query = { name: `${account.run}-${task.id.slice(0, 12)}-doors` }
  const made = { method: 'POST', path: '/containers/create', query, body, deadlineMs: startMs } as const
  const { Id } = await docker.json<{ Id: string }>(made, { signal })
  await docker.json({ method: 'POST', path: `/containers/${Id}/start`, deadlineMs: startMs }, { signal })
  return Id
}
