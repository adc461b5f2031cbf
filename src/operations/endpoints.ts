import { endpointUrl } from '../domain/endpoint.ts'
import type { Engine } from '../domain/engine.ts'
import type { Plan } from '../domain/plan.ts'

/** The addresses at which a plan is reached, as people are told them. */
export function endpointsOf(engine: Engine, plan: Plan): { process: string; url: string }[] {
  return engine.endpoints(plan).map((endpoint) => ({ process: endpoint.process, url: endpointUrl(endpoint) }))
}
