import { Readable } from 'node:stream'
import { RackError } from '../../src/domain/error.ts'
import type { DockerClient, DockerRequest } from '../../src/engines/docker/client.ts'
import type { ContainerState } from '../../src/engines/docker/containers/docker-types.ts'
import type { FoundCopy } from '../../src/engines/docker/containers/found-copy.ts'
import { inspectCopy } from '../../src/engines/docker/containers/found-copy.ts'
import { labels } from '../../src/engines/docker/labels.ts'
import { createReaper } from '../../src/engines/docker/deploy/reaper.ts'
import type { EngineParts } from '../../src/engines/docker/parts.ts'

interface KnownContainer {
  id: string
  name: string
  state: ContainerState
}

/** Containers of the type web of the app shop, as a Docker Engine tells of them; `before` may refuse a call. */
export function createDockerContainers(before: (call: string) => void | Promise<void> = () => undefined) {
  const containers = new Map<string, KnownContainer>()
  const calls: string[] = []
  const verbs: Record<string, (container: KnownContainer, request: DockerRequest) => unknown> = {
    json: inspected,
    stop: (container) => void (container.state = 'exited'),
    kill: (container) => void (container.state = 'exited'),
    rename: (container, { query }) => void (container.name = (query as { name: string }).name),
    '': ({ id }) => void containers.delete(id),
  }
  const json = async (request: DockerRequest) => {
    const call = `${request.method ?? 'GET'} ${request.path}`
    calls.push(call)
    await before(call)
    const [, kind, id = '', verb = ''] = request.path.split('/')
    if (kind === 'networks') return null
    const container = containers.get(id)
    if (!container) throw new RackError('not-found', `no such container: ${id}`)
    return verbs[verb]?.(container, request) ?? null
  }
  const stream = async ({ query }: DockerRequest) => {
    const { container } = (query as { filters: { container: string[] } }).filters
    calls.push(`GET /events ${container[0]}`)
    await before(`GET /events ${container[0]}`)
    return Readable.from([Buffer.from(`${JSON.stringify({ Action: 'die', timeNano: 1 })}\n`)])
  }
  const docker = { json, stream } as unknown as DockerClient
  const add = (id: string, state: ContainerState, suffix = '') => {
    containers.set(id, { id, state, name: `rack-shop-web-${id}${suffix}` })
  }
  const find = async (id: string): Promise<FoundCopy> => {
    const found = await inspectCopy(docker, id, { signal: AbortSignal.timeout(1000) })
    if (!found) throw new RackError('not-found', `no such container: ${id}`)
    return found
  }
  return { docker, containers, calls, add, find }
}

/** The parts of an engine that leaving copies are about. */
export function partsOf(docker: DockerClient, retire: EngineParts['router']['retire']) {
  const closing = new AbortController()
  const troubles: unknown[] = []
  const parts = {
    docker,
    rack: 'rack',
    router: { retire },
    // As on a machine without rules for names.
    names: { isUsed: () => false, led: () => [], hasPorts: () => false, leave: () => undefined },
    logs: { finish: async () => undefined },
    addresses: { free: async () => undefined },
    leaving: new Map(),
    lifetime: closing.signal,
    onTrouble: (error: unknown) => void troubles.push(error),
    reaper: createReaper(() => parts),
  } as unknown as EngineParts
  return { parts, troubles, closing }
}

function inspected({ id, name, state }: KnownContainer) {
  const own = { rack: 'rack', app: 'shop', type: 'web', process: id, kind: 'process', restart: 'on-failure' }
  const written = Object.entries(own).map(([key, value]) => [labels[key as keyof typeof labels], value])
  return {
    Id: id,
    Name: `/${name}`,
    Created: '2026-01-01T00:00:00Z',
    RestartCount: 0,
    State: {
      Status: state,
      Pid: state === 'running' ? 7 : 0,
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: '2026-01-01T00:00:00Z',
      FinishedAt: '2026-01-01T00:00:10Z',
    },
    Config: { Labels: Object.fromEntries(written) as object, Tty: false, Cmd: null, Entrypoint: null },
    HostConfig: { RestartPolicy: { Name: 'no' } },
    NetworkSettings: {
      Networks: { 'rack-shop': { IPAMConfig: { IPv4Address: '10.0.0.9' }, Aliases: ['web'] } },
    },
  }
}
