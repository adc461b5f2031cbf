import type { ContainerOptions } from '../../../../domain/container.ts'
import { lendsAddress } from '../../../../domain/isolation.ts'
import type { ProcessPlan } from '../../../../domain/plan.ts'

/** Nobody listens there: what is asked of it fails at once. */
const nobody = '127.0.0.1'

/**
 * The options of a type with what holds it to its networks. It is known by its address, so it may not send under another
 * one: raw sockets go, unless its file asks for them, and no kernel parameter lends it another. A question for a name that
 * nobody inside has is asked by Docker in the process's place, which would be a way out.
 */
export function isolatedOptions({
  container,
  isolation,
}: Pick<ProcessPlan, 'container' | 'isolation'>): ContainerOptions {
  if (!isolation) return container
  const { capAdd, capDrop, sysctls, dns } = container
  const isAsked = capAdd.some((name) => ['NET_RAW', 'ALL'].includes(name.replace(/^CAP_/, '')))
  return {
    ...container,
    capDrop: isAsked || capDrop.includes('NET_RAW') ? capDrop : [...capDrop, 'NET_RAW'],
    sysctls: Object.fromEntries(Object.entries(sysctls).filter(([name]) => !lendsAddress(name))),
    dns: isolation.isEnclosed ? { ...dns, servers: [nobody] } : dns,
  }
}
