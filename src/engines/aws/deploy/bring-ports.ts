import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import { waysOf, type Way } from '../../../domain/ways.ts'
import { findGenerations } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { findListeners, type FoundListener } from '../routes/listeners.ts'
import { findNetworkBalancer, opensPorts } from '../routes/network-balancer.ts'
import { tellDrift } from './drift.ts'
import { generationOf } from './found-generation.ts'
import { leadWay } from './lead-way.ts'
import { groupBehind, newestServing } from './serving.ts'

/** Live plans with a port that no listener has: somebody has deleted it, or the balancer that had it. */
export async function unledPlans(
  parts: AwsParts,
  plans: readonly Plan[],
  control: Pick<Control, 'signal'>,
): Promise<Plan[]> {
  const opening = plans.filter(opensPorts)
  if (opening.length === 0) return []
  const listeners = await findListeners(parts, control)
  // Another balancer is made by the next deploy: it costs.
  if (!(await findNetworkBalancer(parts, control))) return []
  return opening.filter(({ processes }) => processes.some((each) => unledWays(each, listeners).length > 0))
}

function unledWays(process: Plan['processes'][number], listeners: readonly FoundListener[]): Way[] {
  const ports = new Set(listeners.map(({ port }) => port))
  if (process.count === 0) return []
  return waysOf(process).filter(({ external }) => external !== null && !ports.has(external))
}

/**
 * Has what serves of an app reached again at ports whose listener is gone. Safe to repeat.
 * @param plan its live one
 */
export async function bringPorts(parts: AwsParts, plan: Plan, control: Control): Promise<void> {
  const { owner } = plan
  const found = (await findGenerations(parts, { owner }, control)).map(generationOf)
  await parts.routing.run(async () => {
    const listeners = await findListeners(parts, control)
    for (const process of plan.processes) {
      const main = newestServing(found.filter(({ type }) => type === process.type))
      for (const way of main ? unledWays(process, listeners) : []) {
        const group = groupBehind({ parts }, main!, way)
        if (group === undefined) continue
        tellDrift(control, `somebody has taken what leads to ${process.type} on ${way.name}: it is made anew`)
        await leadWay(parts, { plan, way, group, listeners }, control)
      }
    }
  }, control.signal)
}
