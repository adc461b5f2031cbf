import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDocker, type DockerClient } from '../../src/engines/docker/client.ts'
import { labels } from '../../src/engines/docker/labels.ts'

/** What a container has printed, as its engine keeps it. */
interface Printed {
  time: string
  text: string
}

interface Container {
  printed: Printed[]
  /** How many of them the engine has no more. */
  dropped: number
  isRunning: boolean
  /** Of a log that is not given to its end. */
  isStuck: boolean
  changed: PromiseWithResolvers<void>
}

/** As much of an engine's HTTP API as has to do with logs, so that a test says when a line comes and when it does not. */
export interface LogDocker extends AsyncDisposable {
  client: DockerClient
  print(container: string, ...lines: Printed[]): void
  end(container: string): void
  /** From now on nothing more of its log is given, and no answer ends. */
  stick(container: string): void
  /** Forgets the oldest lines up to a number, as a log does that is turned over. */
  drop(container: string, count: number): void
  /** Bytes that have been taken of its log. */
  given(container: string): number
}

const linesPerWrite = 100

/** The time of a line by its number. */
export function timeOf(number: number): string {
  return `2026-01-01T00:00:00.${String(number).padStart(9, '0')}Z`
}

export async function startLogDocker(): Promise<LogDocker> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-logs-'))
  const socketPath = join(directory, 'docker.sock')
  const containers = new Map<string, Container>()
  const given = new Map<string, number>()
  const find = (name: string): Container => {
    const found = containers.get(name) ?? {
      printed: [],
      dropped: 0,
      isRunning: true,
      isStuck: false,
      changed: Promise.withResolvers<void>(),
    }
    containers.set(name, found)
    return found
  }
  const change = (name: string, apply: (container: Container) => void) => {
    const container = find(name)
    apply(container)
    container.changed.resolve()
    container.changed = Promise.withResolvers()
  }
  const server = createServer((request, response) => {
    const [, , , name = '', what = ''] = request.url!.split(/[/?]/)
    response.setHeader('Api-Version', '1.47')
    if (request.url === '/_ping') return void response.end('OK')
    if (!containers.has(name)) return void response.writeHead(404).end('{"message":"no such container"}')
    if (what === 'json') return void response.end(JSON.stringify(inspected(name, find(name))))
    const count = (bytes: number) => given.set(name, (given.get(name) ?? 0) + bytes)
    void giveLog(find(name), request, response, count).catch((error: unknown) =>
      response.destroy(error as Error),
    )
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    client: connectDocker({ socketPath }),
    print: (name, ...lines) => change(name, ({ printed }) => printed.push(...lines)),
    end: (name) => change(name, (container) => (container.isRunning = false)),
    stick: (name) => change(name, (container) => (container.isStuck = true)),
    drop: (name, count) =>
      change(name, (container) => {
        container.dropped = count
        for (let at = 0; at < count; at++) container.printed[at] = { time: '', text: '' }
      }),
    given: (name) => given.get(name) ?? 0,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function giveLog(
  container: Container,
  request: IncomingMessage,
  response: ServerResponse,
  count: (bytes: number) => void,
): Promise<void> {
  const query = new URL(request.url!, 'http://docker').searchParams
  const since = query.get('since')
  const from = since === null ? '' : timeFrom(since)
  const gone = once(response, 'close')
  response.writeHead(200).flushHeaders()
  const tail = Number(query.get('tail') ?? container.printed.length)
  const start = Math.max(container.dropped, container.printed.length - tail)
  for (let at = start; !response.destroyed;) {
    const { changed, printed } = container
    if (at < printed.length && !container.isStuck) {
      const end = Math.min(printed.length, at + linesPerWrite)
      const wanted = printed.slice(at, end).filter(({ time }) => time >= from)
      const bytes = Buffer.concat(wanted.map(frame))
      at = end
      count(bytes.length)
      if (!response.write(bytes)) await Promise.race([once(response, 'drain'), gone])
      continue
    }
    const isFollowing = query.get('follow') === 'true' && container.isRunning
    if (!isFollowing && !container.isStuck) return void response.end()
    await Promise.race([changed.promise, gone])
  }
}

function frame({ time, text }: Printed): Buffer {
  const body = Buffer.from(`${time} ${text}\n`)
  const header = Buffer.alloc(8)
  header[0] = 1
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

/** Seconds with nine digits as the time of a line. */
function timeFrom(seconds: string): string {
  const [whole = '', fraction = ''] = seconds.split('.')
  return `${new Date(Number(whole) * 1000).toISOString().slice(0, 19)}.${fraction}Z`
}

function inspected(name: string, { isRunning }: Container) {
  const now = new Date().toISOString()
  return {
    Id: name,
    Name: `/${name}`,
    Created: now,
    RestartCount: 0,
    State: {
      Status: isRunning ? 'running' : 'exited',
      Pid: 1,
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: now,
    },
    HostConfig: { RestartPolicy: { Name: 'no' } },
    NetworkSettings: { Networks: {} },
    Config: {
      Tty: false,
      Labels: {
        [labels.rack]: 'demo',
        [labels.app]: 'shop',
        [labels.type]: 'web',
        [labels.kind]: 'process',
        [labels.process]: 'PAAAAAAAAAA',
        [labels.release]: 'RAAAAAAAAAA',
      },
    },
  }
}
