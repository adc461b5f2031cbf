import type { Control } from '../../domain/control.ts'
import { drainCopies, removeCopies, stopCopies } from './deploy/retire.ts'
import { findCopies } from './containers/found-copy.ts'
import { removeNetwork } from './containers/network.ts'
import type { EngineParts } from './parts.ts'
import { removeVolumes } from './containers/volumes.ts'

/** Takes an app off the rack: routes first, then its processes as their types say, then all that was theirs. */
export async function removeApp(
  parts: EngineParts,
  app: string,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<void> {
  const { docker, rack, router, addresses, logs, markers } = parts
  const copies = await findCopies(docker, rack, { app }, control)
  const running = copies.filter(({ state }) => state === 'running' || state === 'restarting')
  await drainCopies(parts, { app, copies: running, drainMs: () => shortDrainMs }, control)
  await router.apply(app, null, control)
  await stopCopies(
    parts,
    running.map((copy) => ({ ...copy, aliases: [] })),
    control,
  )
  await removeCopies(parts, copies, control)
  await removeNetwork(parts, app, control)
  if (volumes) await removeVolumes(parts, app, control)
  for (const { holder } of await addresses.holders(app)) await addresses.free(app, holder)
  await addresses.freeSubnet(app)
  await logs.remove(app)
  await markers.remove(app)
}

/** Who deletes an app does not wait for its visitors. */
const shortDrainMs = 1000
