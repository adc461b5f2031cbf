import type { Control } from '../../../domain/control.ts'
import type { Generation, OwnRollout } from './own.ts'

/** How many copies of a generation ECS is to keep. */
export async function setDesired(
  { parts }: Pick<OwnRollout, 'parts'>,
  generation: Generation,
  desiredCount: number,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const input = { cluster: parts.places.cluster, service: generation.name, desiredCount }
  await parts.clients.ecs.updateService(input, { abortSignal: signal })
  generation.desired = desiredCount
}
