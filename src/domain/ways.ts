import type { ProcessPlan } from './plan.ts'
import { isWeb, type Port } from './port.ts'

/** A way in from outside: the one of the web by host names, or a port of its own. */
export interface Way {
  /** `web`, or the protocol and number: the same for every generation of a type. */
  name: string
  kind: 'web' | 'raw'
  port: Port
  /** On which the network balancer listens; null for the web. */
  external: number | null
}

/** Host names tell types apart, not the ports of one: the first web port is the one. */
export function waysOf({ ports }: Pick<ProcessPlan, 'ports'>): Way[] {
  const opened = ports.filter(({ external, isLocal }) => external !== null && !isLocal)
  const web = opened.find(({ protocol }) => isWeb(protocol))
  const raw = opened.filter(({ protocol }) => !isWeb(protocol))
  return [
    ...(web ? [{ name: 'web', kind: 'web' as const, port: web, external: null }] : []),
    ...raw.map((port) => ({
      name: `${port.protocol} ${port.external}`,
      kind: 'raw' as const,
      port,
      external: port.external,
    })),
  ]
}

/** Whether visitors of the web are led to it. */
export function servesWeb(plan: Pick<ProcessPlan, 'ports'>): boolean {
  return waysOf(plan).some(({ kind }) => kind === 'web')
}

/** What of its ways in a copy keeps for life where an engine changes no port in place; empty where nobody comes in. */
export function waysText(plan: Pick<ProcessPlan, 'ports'>): string {
  const ways = waysOf(plan).map(({ name, port: { container, secure, proxy, upstream } }) =>
    [name, container, ...(secure ? ['secure'] : []), ...(proxy ? ['proxy'] : []), upstream ?? ''].join(' '),
  )
  return ways.join(', ')
}
