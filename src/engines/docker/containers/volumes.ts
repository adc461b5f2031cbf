import { RackError } from '../../../domain/error.ts'
import { heldError, noVolumeError } from '../../../domain/volume.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import { labels, ownedBy } from '../labels.ts'
import { volumeName } from './names.ts'

type Signalled = { signal: AbortSignal }
type Owner = { docker: DockerClient; rack: string }

/** A volume as Docker has it. */
export interface FoundVolume {
  /** Docker's own name for it. */
  id: string
  app: string
  /** Its name in the compose file. */
  name: string
  created: string | undefined
}

/**
 * Makes named volumes of an app; those that are there stay as they are.
 * @throws conflict when another app's has the name that Docker would know it by
 */
export async function ensureVolumes(
  { docker, rack }: Owner,
  { app, volumes }: { app: string; volumes: string[] },
  control: Signalled,
): Promise<void> {
  for (const volume of volumes) {
    const Labels = { [labels.rack]: rack, [labels.app]: app, [labels.volume]: volume }
    const body = { Name: volumeName(rack, app, volume), Labels }
    const made = await docker.json<{ Labels: Record<string, string> | null }>(
      { method: 'POST', path: '/volumes/create', body },
      control,
    )
    refuseForeign(made.Labels ?? {}, Labels)
  }
}

/** `shop-api` with `data` and `shop` with `api-data` have one name in Docker: neither may see the other's data. */
function refuseForeign(found: Record<string, string>, wanted: Record<string, string>): void {
  // One without our labels was made by a person for this app, to bring its data along.
  if (found[labels.app] === undefined) return
  if (Object.entries(wanted).every(([label, value]) => found[label] === value)) return
  const { [labels.app]: app, [labels.volume]: volume } = found
  throw new RackError(
    'conflict',
    `"${wanted[labels.volume]}" of ${wanted[labels.app]} clashes with "${volume}" of ${app}`,
    {
      hint: 'Give the volume another name in the compose file.',
    },
  )
}

/** Removes the app's volumes and what is in them. Safe to repeat. */
export async function removeVolumes(owner: Owner, app: string, control: Signalled): Promise<void> {
  for (const { id } of await findVolumes(owner, { app }, control)) await remove(owner, id, control)
}

/** Removes the volumes of apps that are not named; gives how many. */
export async function sweepVolumes(
  owner: Owner,
  apps: ReadonlySet<string>,
  control: Signalled,
): Promise<number> {
  const orphans = (await findVolumes(owner, {}, control)).filter(({ app }) => !apps.has(app))
  for (const { id } of orphans) await remove(owner, id, control)
  return orphans.length
}

/** Removes one volume. @throws not-found; conflict naming the containers that have it */
export async function removeVolume(
  owner: Owner,
  app: string,
  name: string,
  control: Signalled,
): Promise<void> {
  const [found] = await findVolumes(owner, { app, volume: name }, control)
  if (!found) throw noVolumeError(app, name)
  try {
    await remove(owner, found.id, control)
  } catch (error) {
    if (!(error instanceof RackError && error.code === 'conflict')) throw error
    throw heldError(app, name, await containersWith(owner, found.id, control))
  }
}

/** The rack's volumes, or those that the labels pick. */
export async function findVolumes(
  { docker, rack }: Owner,
  filter: { app?: string; volume?: string },
  control: Signalled,
): Promise<FoundVolume[]> {
  const query = { filters: ownedBy(rack, filter) }
  const { Volumes } = await docker.json<{ Volumes: VolumeSummary[] | null }>(
    { path: '/volumes', query },
    control,
  )
  return (Volumes ?? []).map(({ Name, Labels, CreatedAt }) => ({
    id: Name,
    app: Labels[labels.app] ?? '',
    name: Labels[labels.volume] ?? '',
    created: CreatedAt,
  }))
}

interface VolumeSummary {
  Name: string
  Labels: Record<string, string>
  CreatedAt?: string
}

/** By name, also those that are no rack's. */
async function containersWith({ docker }: Owner, id: string, control: Signalled): Promise<string[]> {
  const query = { all: true, filters: { volume: [id] } }
  const found = await docker.json<{ Names: string[] }[]>({ path: '/containers/json', query }, control)
  return found.flatMap(({ Names: [name = ''] }) => name.replace(/^\//, ''))
}

async function remove({ docker }: Owner, id: string, control: Signalled): Promise<void> {
  try {
    await docker.json({ method: 'DELETE', path: `/volumes/${id}` }, control)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
