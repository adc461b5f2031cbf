import type { Control } from '../../../domain/control.ts'
import type { EngineParts } from '../parts.ts'
import { findCopies } from './found-copy.ts'

/** Gives back the addresses of an app whose container never came to be, or went while the daemon was away. */
export async function freeAddresses(parts: EngineParts, app: string, control: Control): Promise<void> {
  const { docker, rack, addresses, inFlight } = parts
  // In this order: a container made in between is known by its flight, or is found.
  const holders = await addresses.holders(app)
  const making = new Set(inFlight)
  const present = new Set((await findCopies(docker, rack, { app }, control)).map(({ process }) => process))
  const lost = holders.filter(({ holder }) => !present.has(holder) && !making.has(holder))
  for (const { holder } of lost) await addresses.free(app, holder)
}
