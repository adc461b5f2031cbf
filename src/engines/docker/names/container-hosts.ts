import type { ProcessPlan } from '../../../domain/plan.ts'

/** A line of a container's hosts file. */
export interface HostLine {
  host: string
  address: string
}

/**
 * The names that a container knows from its start. A copy finds itself under its type's: Linux takes no packet back to
 * the port of a bridge that it came from. What the file says of a host goes before.
 * @param own the container's address where it is a copy; null for what is none, such as a one-off
 * @param addresses of the names, by type; none where names are Docker's own
 */
export function containerHosts(
  { type: ownType, peers, extraHosts }: Pick<ProcessPlan, 'type' | 'peers' | 'extraHosts'>,
  own: string | null,
  addresses: ReadonlyMap<string, string>,
): HostLine[] {
  const said = new Set(extraHosts.map(({ host }) => host))
  return peers.flatMap(({ type, names }) => {
    const virtual = addresses.get(type)
    if (virtual === undefined) return []
    const address = type === ownType && own !== null ? own : virtual
    return names.filter((host) => !said.has(host)).map((host) => ({ host, address }))
  })
}
