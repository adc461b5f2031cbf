import type { Control } from '../../domain/control.ts'
import { ownerKey, type Owner } from '../../domain/owner.ts'
import { drainCopies, removeCopies, stopCopies } from './deploy/retire.ts'
import { findCopies } from './containers/found-copy.ts'
import { networkKey } from './containers/names.ts'
import { forgetService, leaveServices } from './containers/joined-services.ts'
import { leaveShares } from './containers/joined-shares.ts'
import { removeNetwork } from './containers/network.ts'
import type { EngineParts } from './parts.ts'
import { removeVolumes } from './containers/volumes.ts'

/** Takes an app or a service off the rack: routes first, then its processes as their types say, then all that was theirs. */
export async function removeOwner(
  parts: EngineParts,
  owner: Owner,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<void> {
  const { docker, rack, router, addresses, logs, names } = parts
  const copies = await findCopies(docker, rack, { owner }, control)
  const running = copies.filter(({ state }) => state === 'running' || state === 'restarting')
  await drainCopies(parts, { owner, copies: running, drainMs: () => shortDrainMs }, control)
  await router.apply(ownerKey(owner), null, control)
  await names.begin(control)
  await names.forget(owner, control)
  // A service whose data goes too has nothing to write down; one that still makes its first files is deaf to a stop.
  if (!(volumes && owner.kind === 'service')) {
    await stopCopies(
      parts,
      running.map((copy) => ({ ...copy, aliases: [] })),
      control,
    )
  }
  await removeCopies(parts, copies, control)
  await leaveServices(parts, { owner, processes: [] }, control)
  await leaveShares(parts, { owner, processes: [] }, control)
  if (owner.kind === 'service') await forgetService(parts, owner, control)
  await removeNetwork(parts, owner, control)
  // Also what went without a word: nobody else's address is to be taken for one of theirs.
  await names.see(owner, [])
  if (volumes) await removeVolumes(parts, owner, control)
  await addresses.freeSubnet(networkKey(owner))
  await logs.remove(owner)
}

/** Who deletes an app does not wait for its visitors. */
const shortDrainMs = 1000
