import type { Control } from '../../../domain/control.ts'
import type { Duplex } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { appHint } from '../../../domain/owner.ts'
import { connectToAny, type InsideAddress } from '../../common/connect-to-any.ts'
import { findRecords } from '../inside/records.ts'
import { insideName, isMembersName, membersName, searchDomain } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { KnownTask } from './describe-process.ts'
import { findKnown } from './list-processes.ts'

/**
 * Opens a connection to a copy by the name under which its owner's own processes reach it, or by its process id: to any
 * of several, as a name server would have it; to a service that the account runs, where that is. No other host can be named. The rack itself stands in the network of the
 * processes.
 */
export async function connectInside(
  parts: AwsParts,
  inside: InsideAddress,
  control: Control,
): Promise<Duplex> {
  const [known, records] = await Promise.all([
    findKnown(parts, { owner: inside.owner }, control),
    findRecords(parts, inside.owner, control),
  ])
  const elsewhere = records.get(searchDomain(parts.rack, inside.owner))
  const isType = known.some(({ last }) => last.type === inside.host)
  if (elsewhere !== undefined && isType && !isMembersName(parts.rack, elsewhere))
    return await connectToAny(await parts.lookup(elsewhere), inside, control)
  const target = records.get(insideName(parts.rack, inside.owner, inside.host))
  const isLed = ({ generation }: KnownTask) =>
    generation !== null && membersName(parts.rack, generation) === target
  return await connectToAny(addressesOf(known, inside, isLed), inside, control)
}

/** The addresses that have the name, beginning with any. @throws not-found for a name that no copy has */
function addressesOf(
  known: KnownTask[],
  { owner, host }: InsideAddress,
  isLed: (copy: KnownTask) => boolean,
): string[] {
  const there = known.filter(({ last }) => last.task.lastStatus !== 'STOPPED')
  const named = there.filter((each) => each.last.process === host || isLed(each))
  // A type whose copies are all down has its name still.
  if (named.length === 0 && !known.some(isLed)) {
    const types = [...new Set(there.map(({ last }) => last.type))].toSorted()
    throw new RackError('not-found', `${host} is no process of ${owner.name}: nothing else can be reached`, {
      ...(types.length === 0 ? appHint(owner, 'rack ps') : { hint: `It has: ${types.join(', ')}` }),
    })
  }
  const addresses = named.flatMap(({ last: { address, task } }) =>
    task.lastStatus === 'RUNNING' && task.desiredStatus !== 'STOPPED' && address !== null ? [address] : [],
  )
  const first = Math.floor(Math.random() * addresses.length)
  return [...addresses.slice(first), ...addresses.slice(0, first)]
}
