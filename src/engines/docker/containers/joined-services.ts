import { ownerKey, readOwnerKey, type Owner } from '../../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { HostLine } from '../names/container-hosts.ts'
import { placedService } from '../names/placed.ts'
import { isNotFound } from '../errors.ts'
import type { EngineParts } from '../parts.ts'
import { findCopies, inspectCopy, type FoundCopy } from './found-copy.ts'
import { networkKey, networkName } from './names.ts'
import { listNetworks } from './network.ts'

/**
 * A service is on the networks of those who are led to it, and nobody else's. Its address there is kept like those of an
 * app's copies, under its own key: that row says that it is on the network, whatever container it has at the time.
 */
type Parts = Pick<EngineParts, 'docker' | 'rack' | 'addresses' | 'names' | 'joining'>
type Signalled = { signal: AbortSignal }

/** Puts the services that a type is led to on its owner's network. @returns the names by which its copies know them */
export async function joinServices(
  parts: Parts,
  owner: Owner,
  { services = [], extraHosts }: Pick<ProcessPlan, 'services' | 'extraHosts'>,
  control: Signalled,
): Promise<HostLine[]> {
  const said = new Set(extraHosts.map(({ host }) => host))
  const lines: HostLine[] = []
  for (const { service, names } of services) {
    const address = await join(parts, owner, { kind: 'service', name: service }, control)
    for (const host of names) if (!said.has(host)) lines.push({ host, address })
  }
  return lines
}

async function join(parts: Parts, owner: Owner, service: Owner, control: Signalled): Promise<string> {
  const { docker, rack, addresses, names, joining } = parts
  const address = await addresses.take(networkKey(owner), ownerKey(service))
  await names.place(owner, placedService(ownerKey(service), address), control)
  await joining.run(async () => {
    const copies = await findCopies(docker, rack, { owner: service }, control)
    for (const copy of copies.filter(isService)) await connect(parts, copy, { owner, address }, control)
  }, control.signal)
  return address
}

/** Puts a container of a service, before it is started, on every network on which the service is. */
export async function joinOwners(
  parts: Parts,
  { owner: service, container }: { owner: Owner; container: string },
  control: Signalled,
): Promise<void> {
  const { docker, rack, addresses, joining } = parts
  await joining.run(async () => {
    const copy = await inspectCopy(docker, container, control)
    for (const { owner } of await listNetworks(docker, rack, control)) {
      const holders = await addresses.holders(networkKey(owner))
      const own = holders.find(({ holder }) => holder === ownerKey(service))
      // Another's start may have put it there meanwhile.
      if (own && copy) await connect(parts, copy, { owner, address: own.address }, control)
    }
  }, control.signal)
}

/** Takes services off an owner's network that its plan does not lead to any more. */
export async function leaveServices(
  parts: Parts,
  plan: Pick<Plan, 'owner' | 'processes'>,
  control: Signalled,
): Promise<void> {
  const { docker, rack, addresses, names } = parts
  const { owner } = plan
  const led = new Set(plan.processes.flatMap(({ services = [] }) => services.map(({ service }) => service)))
  for (const { holder } of await addresses.holders(networkKey(owner))) {
    const service = readOwnerKey(holder)
    if (service.kind !== 'service' || led.has(service.name)) continue
    for (const copy of await findCopies(docker, rack, { owner: service }, control)) {
      await disconnect(parts, copy, owner, control)
    }
    names.leave(owner, holder)
    await addresses.free(networkKey(owner), holder)
  }
}

/** Gives back the addresses that a service has on networks of others: it is no more. */
export async function forgetService({ docker, rack, addresses }: Parts, service: Owner, control: Signalled) {
  for (const { owner } of await listNetworks(docker, rack, control)) {
    await addresses.free(networkKey(owner), ownerKey(service))
  }
}

/** A one-off of a service is nobody's but the rack's. */
function isService({ kind }: Pick<FoundCopy, 'kind'>): boolean {
  return kind === 'process'
}

async function connect(
  { docker, rack }: Parts,
  { container, connections }: Pick<FoundCopy, 'container' | 'connections'>,
  { owner, address }: { owner: Owner; address: string },
  control: Signalled,
): Promise<void> {
  const network = networkName(rack, owner)
  if (connections.includes(network)) return
  // The way out stays that of its own network, where the engine lets that be said; others take the first by name.
  const endpoint = { IPAMConfig: { IPv4Address: address }, GwPriority: -1 }
  const body = { Container: container, EndpointConfig: endpoint }
  await docker.json({ method: 'POST', path: `/networks/${network}/connect`, body }, control)
}

async function disconnect(
  { docker, rack }: Parts,
  { container, connections }: FoundCopy,
  owner: Owner,
  control: Signalled,
): Promise<void> {
  const network = networkName(rack, owner)
  if (!connections.includes(network)) return
  const body = { Container: container, Force: true }
  try {
    await docker.json({ method: 'POST', path: `/networks/${network}/disconnect`, body }, control)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
