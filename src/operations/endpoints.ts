import type { Plan } from '../domain/plan.ts'
import type { RackSettings } from './context.ts'

/** The addresses at which the router serves a plan. */
export function endpointsOf(
  plan: Plan,
  { httpPort, domain }: RackSettings,
): { process: string; url: string }[] {
  const suffix = httpPort === 80 ? '' : `:${httpPort}`
  return plan.processes.flatMap(({ type, hosts, ports }) => [
    ...hosts.map((host) => ({ process: type, url: `http://${host}${suffix}` })),
    ...ports.flatMap(({ external, protocol }) => {
      return external === null || protocol === 'http'
        ? []
        : [{ process: type, url: `${protocol}://${domain}:${external}` }]
    }),
  ])
}
