import type { Domain } from '../../../domain/domain-name.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { waysOf, type Way } from '../../../domain/ways.ts'

type Owned = Pick<Plan, 'owner' | 'processes'>
type Named = Pick<ProcessPlan, 'type' | 'hosts'>

const isWebWay = ({ kind }: Way) => kind === 'web'
const isTlsWay = ({ port }: Way) => port.protocol === 'tls'

/** By what visitors ask for a type: its own names, and domains of its app that lead to it. Pure; empty where it serves no web. */
export function visitorNames(plan: Owned, process: Named, domains: readonly Domain[]): string[] {
  return typesWith(plan, isWebWay).includes(process.type) ? namesLedTo(plan, process, domains) : []
}

/** By which names clients ask a type for TLS at ports of its own. Pure; empty where it ends none there. */
export function tlsNames(plan: Owned, process: Named, domains: readonly Domain[]): string[] {
  return typesWith(plan, isTlsWay).includes(process.type) ? namesLedTo(plan, process, domains) : []
}

function typesWith({ processes }: Owned, isMeant: (way: Way) => boolean): string[] {
  return processes.filter((each) => waysOf(each).some(isMeant)).map(({ type }) => type)
}

/** A domain that names no process is that of the only one of the web, or of `web`; without any, of the only one with a port of tls. */
function namesLedTo(plan: Owned, { type, hosts }: Named, domains: readonly Domain[]): string[] {
  const { owner } = plan
  const web = typesWith(plan, isWebWay)
  const types = web.length > 0 ? web : typesWith(plan, isTlsWay)
  const main = types.length === 1 ? types[0]! : 'web'
  const led = domains.filter(
    ({ app, process }) => owner.kind === 'app' && app === owner.name && (process ?? main) === type,
  )
  return [...new Set([...hosts, ...led.map(({ name }) => name)])]
}
