import type { Control } from '../../../domain/control.ts'
import { isSameOwner } from '../../../domain/owner.ts'
import { findGenerations } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { generationOf } from '../deploy/found-generation.ts'
import { reapGeneration } from './reap.ts'

/** Takes generations that leave to their end, which a daemon before has begun. */
export async function adoptLeaving(parts: AwsParts, control: Control): Promise<void> {
  const found = await findGenerations(parts, {}, control)
  const active = found.filter(({ service }) => service.status === 'ACTIVE').map(generationOf)
  const leaving = active.filter(({ state }) => state === 'leaving')
  for (const generation of leaving) {
    const stays = (type: string) =>
      active.some(
        (each) => each.type === type && each.state === 'proved' && isSameOwner(each.owner, generation.owner),
      )
    const others = leaving.filter((each) => isSameOwner(each.owner, generation.owner) && stays(each.type))
    reapGeneration(parts, generation, stays(generation.type) ? [] : others)
  }
}
