import type { Control } from '../../../domain/control.ts'
import type { Duplex } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { appHint, type Owner } from '../../../domain/owner.ts'
import { connectToAny, type InsideAddress } from '../../common/connect-to-any.ts'
import { findCopies, type FoundCopy } from '../containers/found-copy.ts'
import type { EngineParts } from '../parts.ts'

/**
 * Opens a connection to a copy by the name under which its owner's own processes reach it, or by its process id: to any
 * of several, as a name server would have it. No other host can be named.
 */
export async function connectInside(
  parts: EngineParts,
  inside: InsideAddress,
  control: Control,
): Promise<Duplex> {
  const copies = await findCopies(parts.docker, parts.rack, { owner: inside.owner }, control)
  return await connectToAny(addressesOf(copies, inside, ledBy(parts, inside.owner)), inside, control)
}

/** The addresses that have the name, beginning with any. @throws not-found for a name that no copy has */
function addressesOf(
  copies: FoundCopy[],
  { owner, host }: InsideAddress,
  isLed: (copy: FoundCopy) => boolean,
): string[] {
  const named = copies.filter(({ process: processId, type, aliases }) =>
    [processId, type, ...aliases].includes(host),
  )
  if (named.length === 0) {
    const types = [...new Set(copies.map(({ type }) => type))].sort()
    throw new RackError('not-found', `${host} is no process of ${owner.name}: nothing else can be reached`, {
      ...(types.length === 0 ? appHint(owner, 'rack ps') : { hint: `It has: ${types.join(', ')}` }),
    })
  }
  const addresses = named.flatMap((copy) =>
    copy.state === 'running' && copy.address !== null && (copy.process === host || isLed(copy))
      ? [copy.address]
      : [],
  )
  const first = Math.floor(Math.random() * addresses.length)
  return [...addresses.slice(first), ...addresses.slice(0, first)]
}

/** Whether a copy is one of those that its type's names lead to. */
function ledBy({ names }: EngineParts, owner: Owner): (copy: FoundCopy) => boolean {
  if (!names.isUsed()) return ({ type, aliases }) => aliases.includes(type)
  const led = new Set(names.led(owner).map((copy) => copy.process))
  return (copy) => led.has(copy.process)
}
