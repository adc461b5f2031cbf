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
export async function removeVolumes({ docker, rack }: Owner, app: string, control: Signalled): Promise<void> {
  const query = { filters: ownedBy(rack, { app }) }
  const { Volumes } = await docker.json<{ Volumes: { Name: string }[] | null }>(
    { path: '/volumes', query },
    control,
  )
  for (const { Name } of Volumes ?? []) {
    try {
      await docker.json({ method: 'DELETE', path: `/volumes/${Name}` }, control)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
