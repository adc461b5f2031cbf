import { copyRules } from '../../../domain/copy-identity.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { Way } from '../../../domain/ways.ts'
import { targetGroupName } from '../names.ts'
import { isTargetGroup } from '../routes/target-groups.ts'
import { identityOf } from './identity.ts'
import type { Generation, OwnRollout } from './own.ts'

/** A type whose requests go to a generation, and to others of it while they make place. */
export interface Serving {
  plan: ProcessPlan
  main: Generation
  /** Copies by generation; the main one first, which may have none where nobody is to run. */
  counts: Map<Generation, number>
}

/** Where requests of each type are to go, by the copies that shall get them. */
export function servingOf(own: OwnRollout, plan: Plan, processes: string[]): Serving[] {
  const rules = copyRules(plan)
  return plan.processes.flatMap((processPlan): Serving[] => {
    const counts = new Map<Generation, number>()
    for (const id of processes) {
      const copy = own.copies.get(id)
      if (copy?.type !== processPlan.type || !copy.generation) continue
      counts.set(copy.generation, (counts.get(copy.generation) ?? 0) + 1)
    }
    const identity = identityOf(rules.get(processPlan.type)!.identity, processPlan)
    const ranked = [...counts.keys()].toSorted(
      (a, b) =>
        Number(b.identity === identity) - Number(a.identity === identity) || b.createdMs - a.createdMs,
    )
    const [main] = ranked
    if (!main) {
      const kept = processPlan.count === 0 ? emptyOf(own, processPlan.type) : undefined
      return kept ? [{ plan: processPlan, main: kept, counts: new Map([[kept, 1]]) }] : []
    }
    // All that the plan wants is there: the others wait behind, and get nothing.
    const isWhole = (counts.get(main) ?? 0) >= processPlan.count
    const kept = isWhole ? [main] : ranked
    return [{ plan: processPlan, main, counts: new Map(kept.map((each) => [each, counts.get(each)!])) }]
  })
}

/** The generation that keeps the place of a type of which nobody is to run. */
function emptyOf({ generations }: OwnRollout, type: string): Generation | undefined {
  const proved = [...generations.values()].filter(
    (each) => each.type === type && each.isMade && each.state === 'proved',
  )
  return newestOf(proved)
}

export function newestOf(generations: readonly Generation[]): Generation | undefined {
  return generations.toSorted((a, b) => b.createdMs - a.createdMs)[0]
}

/** Of generations of a type, the one that serves when nothing says which. */
export function newestServing(generations: readonly Generation[]): Generation | undefined {
  const proved = generations.filter(({ state, desired }) => state === 'proved' && desired > 0)
  return newestOf(proved)
}

/** ARN of the target group of a generation behind a way in; undefined where it was made without. */
export function groupBehind(
  { parts }: Pick<OwnRollout, 'parts'>,
  generation: Generation,
  way: Way,
): string | undefined {
  const name = targetGroupName(parts.rack, generation, way.name)
  return generation.groups.find((arn) => isTargetGroup(arn, name))
}
