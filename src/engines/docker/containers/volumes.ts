import type { Plan } from '../../../domain/plan.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import { labels, ownedBy } from '../labels.ts'
import { volumeName } from './names.ts'

type Signalled = { signal: AbortSignal }
type Owner = { docker: DockerClient; rack: string }

/** Makes the plan's named volumes; those that are there stay as they are. */
export async function ensureVolumes({ docker, rack }: Owner, plan: Plan, control: Signalled): Promise<void> {
  for (const volume of plan.volumes) {
    const Labels = { [labels.rack]: rack, [labels.app]: plan.app, [labels.volume]: volume }
    const body = { Name: volumeName(rack, plan.app, volume), Labels }
    await docker.json({ method: 'POST', path: '/volumes/create', body }, control)
  }
}

/** Removes the app's volumes and what is in them. Safe to repeat. */
export async function removeVolumes(owner: Owner, app: string, control: Signalled): Promise<void> {
  for (const { name } of await listVolumes(owner, { app }, control)) await removeVolume(owner, name, control)
}

/** Removes the volumes of apps that are not named; gives how many. */
export async function sweepVolumes(
  owner: Owner,
  apps: ReadonlySet<string>,
  control: Signalled,
): Promise<number> {
  const orphans = (await listVolumes(owner, {}, control)).filter(({ app }) => !apps.has(app))
  for (const { name } of orphans) await removeVolume(owner, name, control)
  return orphans.length
}

async function listVolumes(
  { docker, rack }: Owner,
  filter: { app?: string },
  control: Signalled,
): Promise<{ name: string; app: string }[]> {
  const query = { filters: ownedBy(rack, filter) }
  const { Volumes } = await docker.json<{
    Volumes: { Name: string; Labels: Record<string, string> }[] | null
  }>({ path: '/volumes', query }, control)
  return (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, app: Labels[labels.app] ?? '' }))
}

async function removeVolume({ docker }: Owner, name: string, control: Signalled): Promise<void> {
  try {
    await docker.json({ method: 'DELETE', path: `/volumes/${name}` }, control)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
