import type { Control } from '../../../domain/control.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { servesWeb, waysOf } from '../../../domain/ways.ts'
import { findGenerations } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { findWebs, isLive, type FoundRule } from '../routes/rules.ts'
import { placesOfWebs, webOf } from '../web/app-balancer.ts'
import { generationOf } from './found-generation.ts'
import { swapRules } from './move-ways.ts'
import type { OwnWays } from './refuse-ways.ts'
import type { Generation } from './own.ts'
import { groupBehind, newestServing, type Serving } from './serving.ts'

/**
 * Has what serves of an app reached by the names that it has now: domains come and go without a deploy. Safe to repeat.
 * @param plan its live one
 * @returns whether anything had to be changed
 */
export async function bringWays(parts: AwsParts, plan: Plan, control: Control): Promise<boolean> {
  const { owner } = plan
  if (!plan.processes.some(servesWeb)) return false
  const found = await findGenerations(parts, { owner }, control)
  const active = found.filter(({ service }) => service.status === 'ACTIVE').map(generationOf)
  const generations = new Map(active.map((each) => [each.name, each]))
  return await parts.routing.run(async () => {
    const webs = await findWebs(parts, control)
    const places = await placesOfWebs(parts, webs, control)
    const { balancer, rules } = webOf({ webs, signs: { generations: found, places, webs } }, owner)
    const own: OwnWays = { parts, owner, balancer, generations }
    const serving = ledNow(own, plan, rules)
    const up = new Set(serving.flatMap(({ counts }) => [...counts.keys()]))
    // A release that came meanwhile may have others.
    const types = new Set(plan.processes.map(({ type }) => type))
    return await swapRules(own, { serving, plan, up, types, webs }, control)
  }, control.signal)
}

/** What each type's requests go to, as the rules say. */
function ledNow(own: OwnWays, plan: Plan, rules: FoundRule[]): Serving[] {
  return plan.processes.flatMap((process): Serving[] => {
    const way = waysOf(process).find(({ kind }) => kind === 'web')
    if (!way) return []
    const groups = new Map<string, Generation>()
    for (const generation of own.generations.values()) {
      const group = generation.type === process.type ? groupBehind(own, generation, way) : undefined
      if (group !== undefined) groups.set(group, generation)
    }
    const rule = rules.find((each) => isLive(each) && groups.has(each.groups[0]?.arn ?? ''))
    if (!rule) return unled([...groups.values()], process)
    const counts = rule.groups.flatMap(({ arn, weight }) => {
      const generation = groups.get(arn)
      return generation ? [[generation, weight] as const] : []
    })
    return [{ plan: process, main: counts[0]![0], counts: new Map(counts) }]
  })
}

/** Somebody has deleted the rule of what serves: it goes there again. Of a type of which nobody is to run there may be none. */
function unled(generations: Generation[], plan: ProcessPlan): Serving[] {
  const main = newestServing(generations)
  return main ? [{ plan, main, counts: new Map([[main, 1]]) }] : []
}
