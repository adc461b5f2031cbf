import type { FoundGeneration } from '../look/found.ts'
import { hashedProcessId } from '../names.ts'
import type { Generation, GenerationState } from './own.ts'
import { readVolumeTags } from '../volumes/volume-tags.ts'

/** A service as the generation that it is: what the rack has decided of it stands in its tags. */
export function generationOf({ name, service, tags, owner, type, id }: FoundGeneration): Generation {
  return {
    owner,
    type,
    id,
    name,
    release: tags.release ?? '',
    identity: tags.identity ?? '',
    createdMs: Date.parse(tags.created ?? '') || 0,
    state: (tags.state ?? 'proving') as GenerationState,
    drainMs: Number(tags.drain ?? 0),
    volumes: readVolumeTags(tags),
    groups: (service.loadBalancers ?? []).flatMap(({ targetGroupArn }) => targetGroupArn ?? []),
    registry: service.serviceRegistries?.[0]?.registryArn ?? null,
    desired: service.desiredCount ?? 0,
    parked: Array.from({ length: Number(tags.parked ?? 0) }, (_each, index) =>
      hashedProcessId(`${name} parked ${index}`),
    ),
    arn: service.serviceArn ?? '',
    definition: service.taskDefinition ?? '',
    isMade: true,
  }
}
