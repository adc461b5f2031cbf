import { RackError } from '../../src/domain/error.ts'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { controlFor } from './docker-rack.ts'

/** What Docker Engine says of a container, as far as tests look at it. */
interface Container {
  Id: string
  Image: string
  RestartCount: number
  State: { Pid: number; Running: boolean }
  Config: { Labels: Record<string, string> }
  Mounts: { Name?: string }[]
}

/** Looks at the containers of an app from the outside; each of its types has one. */
export function containersOf(docker: DockerClient, rackName: () => string, app: string) {
  const ask = async <T>(path: string, query = {}) => await docker.json<T>({ path, query }, controlFor(10_000))
  const containerOf = async (type: string): Promise<Container> => {
    const label = [`com.rack.name=${rackName()}`, `com.rack.app=${app}`, `com.rack.type=${type}`]
    const [found] = await ask<Container[]>('/containers/json', { all: true, filters: { label } })
    return await ask<Container>(`/containers/${found?.Id}/json`)
  }
  return {
    containerOf,
    imageLabels: async (image: string) => (await ask<Container>(`/images/${image}/json`)).Config.Labels,
    /** Volumes that only hold the files of a container have no name of ours. */
    fileVolumesOf: async (type: string): Promise<string[]> => {
      const { Mounts } = await containerOf(type)
      return Mounts.flatMap(({ Name }) => (Name && /^[0-9a-f]{64}$/.test(Name) ? [Name] : []))
    },
    isVolume: async (name: string): Promise<boolean> => {
      try {
        await ask(`/volumes/${name}`)
        return true
      } catch (error) {
        if (error instanceof RackError && error.code === 'not-found') return false
        throw error
      }
    },
  }
}
