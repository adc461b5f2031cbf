import { covers } from '../../../domain/certificate.ts'
import type { Plan } from '../../../domain/plan.ts'
import type { Control } from '../../../domain/control.ts'
import type { AwsParts } from '../parts.ts'
import { visitorNames } from '../routes/visitor-names.ts'
import type { NameState } from '../../../domain/name-state.ts'
import { bringCertificates } from './bring-certificates.ts'

/**
 * Names that need a certificate beside that of the rack's domain: those of a process below its app's share one. Pure.
 * @param plans live ones
 */
export function namesToProve(parts: Pick<AwsParts, 'domain' | 'domains'>, plans: readonly Plan[]): string[] {
  const { domain } = parts
  const names = plans.flatMap((plan) =>
    plan.processes.flatMap((each) => visitorNames(plan, each, parts.domains.current())),
  )
  const covered = [domain, `*.${domain}`]
  const wanted = names
    .filter((name) => !covers(covered, name))
    .map((name) => {
      const isBelow = name.endsWith(`.${domain}`) && !name.startsWith('*')
      return isBelow ? `*.${name.slice(name.indexOf('.') + 1)}` : name
    })
  return [...new Set(wanted)].toSorted()
}

/** Has those certificates shown as soon as they are issued; says what has become of each. Safe to repeat. */
export async function bringNamesOf(
  parts: AwsParts,
  plans: readonly Plan[],
  control: Pick<Control, 'signal'>,
): Promise<NameState[]> {
  const { https } = parts.places.balancer.listeners
  if (https === null) return []
  return await bringCertificates(parts, https, namesToProve(parts, plans), control)
}
