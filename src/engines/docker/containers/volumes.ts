import { RackError } from '../../../domain/error.ts'
import type { Mount } from '../../../domain/container.ts'
import { isSameOwner, type Owner } from '../../../domain/owner.ts'
import { heldError, noVolumeError } from '../../../domain/volume.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import { labels, ownedBy, ownerLabels, readOwner, type OwnedFilter } from '../labels.ts'
import { volumeName } from './names.ts'

type Signalled = { signal: AbortSignal }
type Rack = { docker: DockerClient; rack: string }

/** A volume as Docker has it. */
export interface FoundVolume {
  /** Docker's own name for it. */
  id: string
  owner: Owner
  /** Its name in the compose file. */
  name: string
  created: string | undefined
}

/**
 * Makes named volumes of an app or a service; those that are there stay as they are.
 * @throws conflict when another owner's has the name that Docker would know it by
 */
export async function ensureVolumes(
  { docker, rack }: Rack,
  { owner, volumes }: { owner: Owner; volumes: string[] },
  control: Signalled,
): Promise<void> {
  for (const volume of volumes) {
    const Labels = { [labels.rack]: rack, ...ownerLabels(owner), [labels.volume]: volume }
    const body = { Name: volumeName(rack, owner, volume), Labels }
    const made = await docker.json<{ Labels: Record<string, string> | null }>(
      { method: 'POST', path: '/volumes/create', body },
      control,
    )
    refuseForeign(made.Labels ?? {}, { rack, owner, volume })
  }
}

/**
 * Docker would make a volume that is not there, empty; of one that no app made that is not what was meant.
 * @throws engine-failed for one that this machine does not have
 */
export async function requireExternalVolumes(
  docker: DockerClient,
  mounts: Mount[],
  control: Signalled,
): Promise<void> {
  for (const mount of mounts) {
    if (mount.kind !== 'volume' || !mount.external) continue
    const call = { path: `/volumes/${encodeURIComponent(mount.external)}` }
    await docker.json(call, control).catch((cause: unknown) => {
      if (!isNotFound(cause)) throw cause
      throw new RackError(
        'engine-failed',
        `this machine has no volume ${mount.external}, which is mounted at ${mount.path}`,
        {
          hint: `Make it where Docker Engine runs: docker volume create ${mount.external}; or remove \`external\``,
          cause,
        },
      )
    })
  }
}

/** `shop-api` with `data` and `shop` with `api-data` have one name in Docker: neither may see the other's data. */
function refuseForeign(
  found: Record<string, string>,
  wanted: { rack: string; owner: Owner; volume: string },
): void {
  const holder = readOwner(found)
  // One without our labels was made by a person for this owner, to bring its data along.
  if (!holder) return
  const { [labels.rack]: rack, [labels.volume]: volume } = found
  if (rack === wanted.rack && volume === wanted.volume && isSameOwner(holder, wanted.owner)) return
  throw new RackError(
    'conflict',
    `"${wanted.volume}" of ${wanted.owner.name} clashes with "${volume}" of ${holder.name}`,
    {
      hint: 'Give the volume another name in the compose file.',
    },
  )
}

/** Removes the owner's volumes and what is in them. Safe to repeat. */
export async function removeVolumes(of: Rack, owner: Owner, control: Signalled): Promise<void> {
  for (const { id } of await findVolumes(of, { owner }, control)) await remove(of, id, control)
}

/** Removes the volumes of owners that are not named; gives how many. */
export async function sweepVolumes(of: Rack, kept: Owner[], control: Signalled): Promise<number> {
  const found = await findVolumes(of, {}, control)
  const orphans = found.filter(({ owner }) => !kept.some((other) => isSameOwner(owner, other)))
  for (const { id } of orphans) await remove(of, id, control)
  return orphans.length
}

/** Removes one volume. @throws not-found; conflict naming the containers that have it */
export async function removeVolume(of: Rack, owner: Owner, name: string, control: Signalled): Promise<void> {
  const [found] = await findVolumes(of, { owner, volume: name }, control)
  if (!found) throw noVolumeError(owner, name)
  try {
    await remove(of, found.id, control)
  } catch (error) {
    if (!(error instanceof RackError && error.code === 'conflict')) throw error
    throw heldError(owner, name, await containersWith(of, found.id, control))
  }
}

/** The rack's volumes, or those that the labels pick. */
export async function findVolumes(
  { docker, rack }: Rack,
  filter: OwnedFilter,
  control: Signalled,
): Promise<FoundVolume[]> {
  const query = { filters: ownedBy(rack, filter) }
  const { Volumes } = await docker.json<{ Volumes: VolumeSummary[] | null }>(
    { path: '/volumes', query },
    control,
  )
  return (Volumes ?? []).flatMap(({ Name, Labels, CreatedAt }) => {
    const owner = readOwner(Labels)
    return owner ? [{ id: Name, owner, name: Labels[labels.volume] ?? '', created: CreatedAt }] : []
  })
}

interface VolumeSummary {
  Name: string
  Labels: Record<string, string>
  CreatedAt?: string
}

/** By name, also those that are no rack's. */
async function containersWith({ docker }: Rack, id: string, control: Signalled): Promise<string[]> {
  const query = { all: true, filters: { volume: [id] } }
  const found = await docker.json<{ Names: string[] }[]>({ path: '/containers/json', query }, control)
  return found.flatMap(({ Names: [name = ''] }) => name.replace(/^\//, ''))
}

async function remove({ docker }: Rack, id: string, control: Signalled): Promise<void> {
  try {
    await docker.json({ method: 'DELETE', path: `/volumes/${id}` }, control)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
