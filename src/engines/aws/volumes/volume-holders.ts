import type { TaskDefinition } from '@aws-sdk/client-ecs'
import type { Control } from '../../../domain/control.ts'
import type { VolumeFilter, VolumeHolder } from '../../../domain/volume.ts'
import { generationOf } from '../deploy/found-generation.ts'
import type { Generation } from '../deploy/own.ts'
import { findGenerations } from '../look/found.ts'
import { hashedProcessId } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { Definitions } from '../processes/definitions.ts'
import type { KnownTask } from '../processes/describe-process.ts'
import { findKnown, isShown } from '../processes/list-processes.ts'

/** By access point, who mounts it. */
export async function findHolders(
  parts: AwsParts,
  definitions: Definitions,
  { owner }: Pick<VolumeFilter, 'owner'>,
  control: Control,
): Promise<Map<string, VolumeHolder[]>> {
  const of = owner ? { owner } : {}
  const found = await findGenerations(parts, of, control)
  const generations = found.filter(({ service }) => service.status === 'ACTIVE').map(generationOf)
  const known = (await findKnown(parts, of, control)).filter(isShown)
  const arns = [
    ...generations.map(({ definition }) => definition),
    ...known.flatMap(({ last }) => last.task.taskDefinitionArn ?? []),
  ]
  return holdersOf(generations, known, await definitions.of(arns, control))
}

/**
 * By access point, the tasks that mount it, and the places of copies that ECS is to start, or the rack may bring back: of a
 * generation of which nobody is to run there is none. Pure.
 */
export function holdersOf(
  generations: readonly Pick<Generation, 'name' | 'type' | 'desired' | 'parked' | 'definition'>[],
  known: readonly Pick<KnownTask, 'last'>[],
  definitions: ReadonlyMap<string, TaskDefinition>,
): Map<string, VolumeHolder[]> {
  const holders = new Map<string, VolumeHolder[]>()
  const add = (definition: string, holder: VolumeHolder) => {
    for (const { efsVolumeConfiguration: shared } of definitions.get(definition)?.volumes ?? []) {
      const id = shared?.authorizationConfig?.accessPointId
      if (id) holders.set(id, [...(holders.get(id) ?? []), holder])
    }
  }
  for (const { last } of known) {
    const { process, type, kind } = last
    add(last.task.taskDefinitionArn ?? '', { process, type, kind })
  }
  for (const { name, type, desired, parked, definition } of generations) {
    const there = known.filter(({ last }) => last.service === name).length
    const missing = Array.from({ length: Math.max(0, desired - there) }, (_each, index) =>
      hashedProcessId(`${name} vacancy ${index}`),
    )
    for (const process of [...missing, ...parked]) add(definition, { process, type, kind: 'process' })
  }
  return holders
}
