import type { Control } from '../../../domain/control.ts'
import { readOwnerKey, type Owner } from '../../../domain/owner.ts'
import { labels } from '../labels.ts'
import type { EngineParts } from '../parts.ts'
import { listContainers } from './found-copy.ts'
import { networkKey } from './names.ts'

type Parts = Pick<EngineParts, 'docker' | 'rack' | 'addresses' | 'inFlight'>

/** Gives back the addresses of these owners whose container never came to be, or went while the daemon was away. */
export async function freeAddresses(parts: Parts, owners: Owner[], control: Control): Promise<void> {
  const { docker, rack, addresses, inFlight } = parts
  // In this order: a container made in between is known by its flight, or is found.
  const held: { network: string; holder: string }[] = []
  for (const network of owners.map(networkKey)) {
    const holders = await addresses.holders(network)
    // A service that is led to has its address there whether it runs or not.
    const own = holders.filter(({ holder }) => readOwnerKey(holder).kind === 'app')
    for (const { holder } of own) held.push({ network, holder })
  }
  const making = new Set(inFlight)
  // One question for all of them: a start asks for every app and service of the rack.
  const listed = await listContainers(docker, rack, {}, control)
  const present = new Set(listed.map(({ Labels }) => Labels[labels.process]))
  for (const { network, holder } of held) {
    if (!present.has(holder) && !making.has(holder)) await addresses.free(network, holder)
  }
}
