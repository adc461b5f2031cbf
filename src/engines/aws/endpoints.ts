import type { Endpoint } from '../../domain/endpoint.ts'
import type { Plan } from '../../domain/plan.ts'
import { waysOf } from '../../domain/ways.ts'
import type { AwsParts } from './parts.ts'

/** The web by host name, the rest at ports of the network balancer. */
export function endpointsOf(
  { places, domain, network }: Pick<AwsParts, 'places' | 'domain' | 'network'>,
  plan: Plan,
): Endpoint[] {
  const { https } = places.balancer.listeners
  const web = https === null ? { scheme: 'http' as const, port: 80 } : { scheme: 'https' as const, port: 443 }
  const raw = network.balancer?.host ?? domain
  return plan.processes.flatMap((processPlan) =>
    waysOf(processPlan).flatMap(({ kind, port, external }): Endpoint[] => {
      const { type } = processPlan
      if (kind === 'web') return processPlan.hosts.map((host) => ({ process: type, host, ...web }))
      return external === null ? [] : [{ process: type, scheme: port.protocol, host: raw, port: external }]
    }),
  )
}
