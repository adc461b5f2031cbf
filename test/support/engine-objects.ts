import { request } from 'node:http'
import { dockerSocket } from '../../src/lib/docker-socket.ts'

interface Listed {
  Names?: string[]
  Name?: string
  RepoTags?: string[] | null
}

/** The names of all containers, networks, volumes and images of Docker Engine that begin with a rack's own. */
export async function objectsOfRack(rack: string): Promise<string[]> {
  const [containers, networks, { Volumes }, images] = await Promise.all([
    askEngine<Listed[]>('/containers/json?all=1'),
    askEngine<Listed[]>('/networks'),
    askEngine<{ Volumes: Listed[] | null }>('/volumes'),
    askEngine<Listed[]>('/images/json'),
  ])
  const names = [
    ...containers.flatMap(({ Names }) => (Names ?? []).map((name) => `container ${name.slice(1)}`)),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...(Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ...images.flatMap(({ RepoTags }) => (RepoTags ?? []).map((tag) => `image ${tag}`)),
  ]
  return names.filter((name) => new RegExp(`^(\\w+) (rack/)?${rack}[-/]`).test(name)).sort()
}

/** How many containers of an app there are of each release, whatever their state; one-offs count too. */
export async function containersByRelease(rack: string, app: string): Promise<Record<string, number>> {
  const filters = JSON.stringify({ label: [`com.rack.name=${rack}`, `com.rack.app=${app}`] })
  const path = `/containers/json?all=1&filters=${encodeURIComponent(filters)}`
  const counts: Record<string, number> = {}
  for (const { Labels } of await askEngine<{ Labels: Record<string, string> }[]>(path)) {
    const release = Labels['com.rack.release'] ?? ''
    counts[release] = (counts[release] ?? 0) + 1
  }
  return counts
}

async function askEngine<T>(path: string): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const options = { socketPath: dockerSocket(process.env), path, timeout: 20_000 }
  const asked = request(options, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('end', () => resolve(JSON.parse(text) as T))
    response.on('error', reject)
  })
  asked.on('timeout', () => asked.destroy(new Error('the engine did not answer in 20 s')))
  asked.on('error', reject)
  asked.end()
  return await promise
}
