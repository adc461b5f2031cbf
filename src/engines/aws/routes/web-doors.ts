import { covers } from '../../../domain/certificate.ts'
import type { WebPlace } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { shownNames } from '../certificates/shown-names.ts'
import type { AwsParts } from '../parts.ts'
import { visitorNames } from './visitor-names.ts'

/** A listener of the web, and by which names it leads to a type: others are not its own, and go where its default says. */
export interface WebDoor {
  /** ARN. */
  listener: string
  hostsOf(plan: Plan, process: ProcessPlan): string[]
}

/**
 * Where visitors of a balancer come in; behind the first all types are. Where that speaks TLS, the other one leads by names
 * for which no certificate is shown, and to types that keep http; else it sends to the first.
 */
export async function webDoors(
  parts: AwsParts,
  balancer: WebPlace,
  control: Pick<Control, 'signal'>,
): Promise<WebDoor[]> {
  const { http, https } = balancer.listeners
  const hostsOf = (plan: Plan, process: ProcessPlan) => visitorNames(plan, process, parts.domains.current())
  if (https === null) return [{ listener: http, hostsOf }]
  const shown = await shownNames(parts, https, control)
  const plain = (plan: Plan, process: ProcessPlan) =>
    hostsOf(plan, process).filter((host) => process.routing.keepsHttp || !covers(shown, host))
  return [
    { listener: https, hostsOf },
    { listener: http, hostsOf: plain },
  ]
}
