import type { Control } from '../../domain/control.ts'
import type { DockerClient } from './client.ts'
import { isNotFound } from './errors.ts'
import { sweepImages } from './images/images.ts'
import { ownedBy } from './labels.ts'

/** What Docker has of a rack, whether the rack is there or not: Docker's own names for it. */
export interface RackObjects {
  containers: string[]
  networks: string[]
  volumes: string[]
}

export async function findRackObjects(
  docker: DockerClient,
  rack: string,
  control: Control,
): Promise<RackObjects> {
  const filters = ownedBy(rack)
  const [containers, networks, volumes] = await Promise.all([
    docker.json<{ Id: string }[]>({ path: '/containers/json', query: { all: 1, filters } }, control),
    docker.json<{ Id: string }[]>({ path: '/networks', query: { filters } }, control),
    docker.json<{ Volumes: { Name: string }[] | null }>({ path: '/volumes', query: { filters } }, control),
  ])
  return {
    containers: containers.map(({ Id }) => Id),
    networks: networks.map(({ Id }) => Id),
    volumes: (volumes.Volumes ?? []).map(({ Name }) => Name),
  }
}

/** Removes all of it but some volumes, and the rack's names from images. Nothing may make more of it meanwhile. Safe to repeat. */
export async function removeRackObjects(
  docker: DockerClient,
  { rack, keptVolumes }: { rack: string; keptVolumes: ReadonlySet<string> },
  control: Control,
): Promise<void> {
  const found = await findRackObjects(docker, rack, control)
  const volumes = found.volumes.filter((name) => !keptVolumes.has(name))
  const paths = [
    ...found.containers.map((id) => `/containers/${id}?force=1`),
    ...found.networks.map((id) => `/networks/${id}`),
    ...volumes.map((name) => `/volumes/${encodeURIComponent(name)}`),
  ]
  for (const path of paths) {
    await docker.json({ method: 'DELETE', path }, control).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
  await sweepImages(docker, { rack, keep: new Set() }, control)
}
