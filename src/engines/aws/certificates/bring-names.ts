import { covers } from '../../../domain/certificate.ts'
import type { Plan } from '../../../domain/plan.ts'
import type { Control } from '../../../domain/control.ts'
import { ownerKey } from '../../../domain/owner.ts'
import { waysOf } from '../../../domain/ways.ts'
import type { AwsParts } from '../parts.ts'
import { findListeners, listenerProtocol } from '../routes/listeners.ts'
import { tlsNames, visitorNames } from '../routes/visitor-names.ts'
import type { NameState } from '../../../domain/name-state.ts'
import { bringHomes } from '../web/bring-homes.ts'
import { findWebBalancers } from '../web/web-balancers.ts'
import { bringCertificates, type ListenerNames } from './bring-certificates.ts'

/** Names that need a certificate beside that of the rack's domain. */
export interface NamesToProve {
  /** Of the web. */
  web: string[]
  /** By external port of protocol tls. */
  tls: Map<number, string[]>
}

/**
 * Names that need a certificate beside that of the rack's domain: those of a process below its app's share one. Pure.
 * @param plans live ones
 */
export function namesToProve(
  parts: Pick<AwsParts, 'domain' | 'domains'>,
  plans: readonly Plan[],
): NamesToProve {
  const domains = parts.domains.current()
  const provable = (names: string[]) => namesOfCertificates(parts, names)
  const web = plans.flatMap((plan) => plan.processes.flatMap((each) => visitorNames(plan, each, domains)))
  const tls = new Map<number, string[]>()
  for (const plan of plans) {
    for (const each of plan.processes) {
      const names = provable(tlsNames(plan, each, domains))
      if (names.length === 0) continue
      for (const { external, port } of waysOf(each))
        if (external !== null && port.protocol === 'tls') tls.set(external, names)
    }
  }
  return { web: provable(web), tls }
}

function namesOfCertificates({ domain }: Pick<AwsParts, 'domain'>, names: string[]): string[] {
  const covered = [domain, `*.${domain}`]
  const wanted = names
    .filter((name) => !covers(covered, name))
    .map((name) => {
      const isBelow = name.endsWith(`.${domain}`) && !name.startsWith('*')
      return isBelow ? `*.${name.slice(name.indexOf('.') + 1)}` : name
    })
  return [...new Set(wanted)].toSorted()
}

/**
 * Has names lead to the balancers that apps are behind, and those certificates shown as soon as they are issued; says what
 * has become of each. Safe to repeat.
 */
export async function bringNamesOf(
  parts: AwsParts,
  plans: readonly Plan[],
  control: Pick<Control, 'signal'>,
): Promise<NameState[]> {
  const homes = await bringHomes(parts, control)
  const hosts = plans.map(({ owner }) => [ownerKey(owner), homes(owner)?.host] as const)
  parts.web.hosts = new Map(hosts.flatMap(([key, host]) => (host === undefined ? [] : [[key, host]])))
  if (parts.places.balancer.listeners.https === null) return []
  const { web, tls } = namesToProve(parts, plans)
  const listeners: ListenerNames[] = []
  for (const balancer of await findWebBalancers(parts, control)) {
    const { https } = balancer.listeners
    const behind = plans.filter(({ owner }) => homes(owner)?.number === balancer.number)
    if (https !== null) listeners.push({ listener: https, names: namesToProve(parts, behind).web })
  }
  for (const { arn, port, protocol } of await tlsListeners(parts, plans, control)) {
    if (protocol === 'TLS') listeners.push({ listener: arn, names: tls.get(port) ?? [] })
  }
  const names = [...new Set([...web, ...[...tls.values()].flat()])].toSorted()
  return await bringCertificates(parts, { names, listeners }, control)
}

/** Those of ports of these plans. */
async function tlsListeners(parts: AwsParts, plans: readonly Plan[], control: Pick<Control, 'signal'>) {
  const ways = plans.flatMap(({ processes }) => processes.flatMap(waysOf))
  const ports = new Set(
    ways.flatMap((way) => (way.kind === 'raw' && listenerProtocol(way) === 'TLS' ? [way.external] : [])),
  )
  if (ports.size === 0) return []
  return (await findListeners(parts, control)).filter(({ port }) => ports.has(port))
}
