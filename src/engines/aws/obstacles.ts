import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { isSameOwner, ownerText, type Owner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import { waysOf } from '../../domain/ways.ts'
import { findGenerations } from './look/found.ts'
import { notThere } from './not-there.ts'
import type { AwsParts } from './parts.ts'
import { findListeners, isWaitingPort } from './routes/listeners.ts'
import { findRules, isLive } from './routes/rules.ts'

/** A port or a host name that another owner has, and ports that the network balancer is not told how to serve. */
export async function obstaclesOf(parts: AwsParts, plan: Plan, control: Control): Promise<RackError[]> {
  return [...unservedPorts(plan), ...(await takenWays(parts, plan, control))]
}

/** Every listener of the network balancer speaks tcp. */
export function unservedPorts({ processes }: Plan): RackError[] {
  return processes.flatMap((each) =>
    waysOf(each)
      .filter(({ kind, port }) => kind === 'raw' && port.protocol !== 'tcp')
      .map(({ name }) => notThere(`serve ${each.type} on ${name}`, 'its network balancer speaks tcp alone')),
  )
}

async function takenWays(parts: AwsParts, plan: Plan, control: Control): Promise<RackError[]> {
  const ports = plan.processes.flatMap((each) => waysOf(each).flatMap(({ external }) => external ?? []))
  const hosts = new Set(plan.processes.flatMap((each) => each.hosts))
  if (ports.length + hosts.size === 0) return []
  const holders = await holdersOfGroups(parts, control)
  const strangerOf = (group: string | undefined) => {
    const owner = holders.get(group ?? '')
    return owner && !isSameOwner(owner, plan.owner) ? owner : null
  }
  const listeners = await findListeners(parts, control)
  const taken = ports.flatMap((port) => {
    const stranger = strangerOf(listeners.find((each) => each.port === port)?.group)
    return stranger ? [takenError(`port ${port}`, stranger)] : []
  })
  const closed = ports.filter(isWaitingPort).map((port) => {
    const hint = 'Choose a port below 60000.'
    return new RackError('port-taken', `the balancer keeps port ${port} for itself`, { hint })
  })
  const rules = (await findRules(parts, control)).filter(isLive)
  const named = rules.flatMap(({ conditions, groups }) => {
    const stranger = strangerOf(groups[0]?.arn)
    const values = conditions.flatMap(({ HostHeaderConfig }) => HostHeaderConfig?.Values ?? [])
    return stranger ? values.filter((host) => hosts.has(host)).map((host) => takenError(host, stranger)) : []
  })
  return [...taken, ...closed, ...named]
}

function takenError(what: string, owner: Owner): RackError {
  return new RackError('port-taken', `${what} is taken by ${ownerText(owner)}`)
}

async function holdersOfGroups(parts: AwsParts, control: Control): Promise<Map<string, Owner>> {
  const generations = await findGenerations(parts, {}, control)
  return new Map(
    generations.flatMap(({ owner, service }) =>
      (service.loadBalancers ?? []).flatMap(({ targetGroupArn }) =>
        targetGroupArn ? [[targetGroupArn, owner] as const] : [],
      ),
    ),
  )
}
