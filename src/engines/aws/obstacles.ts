import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { isSameOwner, ownerText, type Owner } from '../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../domain/plan.ts'
import { waysOf, type Way } from '../../domain/ways.ts'
import { findGenerations } from './look/found.ts'
import { notThere } from './not-there.ts'
import type { AwsParts } from './parts.ts'
import { findListeners, isWaitingPort } from './routes/listeners.ts'
import { findRules, isLive } from './routes/rules.ts'

/** A port or a host name that another owner has, and ports that the network balancer is not told how to serve. */
export async function obstaclesOf(parts: AwsParts, plan: Plan, control: Control): Promise<RackError[]> {
  return [...unservedPorts(plan), ...(await takenWays(parts, plan, control))]
}

/** What a port asks for that no listener or target group is told. */
export function unservedPorts({ processes }: Plan): RackError[] {
  return processes.flatMap((each) =>
    waysOf(each).flatMap((way) => {
      const why = unservedReason(way, each)
      return why === null ? [] : [notThere(`serve ${each.type} on ${way.name}`, why)]
    }),
  )
}

function unservedReason({ kind, port }: Way, { routing }: Pick<ProcessPlan, 'routing'>): string | null {
  if (kind === 'web') return port.upstream ? 'its balancer speaks HTTP/1.1 to processes' : null
  if (port.protocol !== 'tcp') return 'its network balancer speaks tcp alone'
  if (routing.allow !== null) return 'its network balancer lets everybody in (rack.allow)'
  return routing.idleTimeoutMs === null
    ? null
    : 'its network balancer has one limit for all (rack.idle.timeout)'
}

async function takenWays(parts: AwsParts, plan: Plan, control: Control): Promise<RackError[]> {
  const ports = plan.processes.flatMap((each) => waysOf(each).flatMap(({ external }) => external ?? []))
  const hosts = new Set(plan.processes.flatMap((each) => each.hosts))
  if (ports.length + hosts.size === 0) return []
  const closed = ports.filter(isWaitingPort).map((port) => {
    const hint = 'Choose a port below 60000.'
    return new RackError('port-taken', `the balancer keeps port ${port} for itself`, { hint })
  })
  const listeners = (await findListeners(parts, control)).filter(({ port }) => ports.includes(port))
  const rules = (await findRules(parts, control)).filter(isLive)
  const led = [
    ...listeners.flatMap(({ port, group }) => (group ? [{ what: `port ${port}`, group }] : [])),
    ...rules.flatMap(({ conditions, groups: [first] }) => {
      const values = conditions.flatMap(({ HostHeaderConfig }) => HostHeaderConfig?.Values ?? [])
      return first ? values.filter((host) => hosts.has(host)).map((what) => ({ what, group: first.arn })) : []
    }),
  ]
  return [...closed, ...(await leadElsewhere(parts, plan.owner, led, control))]
}

/** Only for what the owner's own copies do not have are all others asked. */
async function leadElsewhere(
  parts: AwsParts,
  owner: Owner,
  led: { what: string; group: string }[],
  control: Control,
): Promise<RackError[]> {
  if (led.length === 0) return []
  const own = await holdersOfGroups(parts, { owner }, control)
  const others = led.filter(({ group }) => !own.has(group))
  if (others.length === 0) return []
  const holders = await holdersOfGroups(parts, {}, control)
  return others.flatMap(({ what, group }) => {
    const holder = holders.get(group)
    return holder && !isSameOwner(holder, owner) ? [takenError(what, holder)] : []
  })
}

function takenError(what: string, owner: Owner): RackError {
  return new RackError('port-taken', `${what} is taken by ${ownerText(owner)}`)
}

async function holdersOfGroups(
  parts: AwsParts,
  filter: { owner?: Owner },
  control: Control,
): Promise<Map<string, Owner>> {
  const generations = await findGenerations(parts, filter, control)
  return new Map(
    generations.flatMap(({ owner, service }) =>
      (service.loadBalancers ?? []).flatMap(({ targetGroupArn }) =>
        targetGroupArn ? [[targetGroupArn, owner] as const] : [],
      ),
    ),
  )
}
