import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { ownerKey, type Owner } from '../../../domain/owner.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { nameCopy, removeCopy, stopCopy, toCopy, type Copy } from '../containers/copies.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { isNotFound } from '../errors.ts'
import type { EngineParts } from '../parts.ts'

/** How many containers stop at once. */
export const stopsAtOnce = 8

export interface Leaving {
  owner: Owner
  copies: FoundCopy[]
  /** How long connections of a type's copies may last. */
  drainMs: (copy: FoundCopy) => number
  /** True where nobody else serves until others come: requests wait for them. */
  isReplaced?: boolean
}

/** Lets the connections of copies end: they get no new request, and nobody finds them by name any more. */
export async function drainCopies(parts: EngineParts, leaving: Leaving, control: Control): Promise<void> {
  const { owner, copies, drainMs, isReplaced = false } = leaving
  const app = ownerKey(owner)
  for (const { process: processId } of copies) parts.leaving.set(processId, 'draining')
  const groups = Map.groupBy(copies, drainMs)
  await Promise.all(
    Array.from(groups, ([deadlineMs, group]) =>
      parts.router.retire(
        { app, processes: group.map((copy) => copy.process), deadlineMs, isReplaced },
        control,
      ),
    ),
  )
}

/** Stops drained copies as their types say, without removing them. */
export async function stopCopies(parts: EngineParts, copies: FoundCopy[], control: Control): Promise<void> {
  await mapBounded(copies, stopsAtOnce, async (found) => {
    parts.leaving.set(found.process, 'stopping')
    const copy = toCopy(found)
    // Callers that look up the name from now on find its successors. Where the kernel leads it, they do so anyhow, and
    // taking an alias cuts connections in silence: Docker takes the copy off the network for it.
    const hasAlias = found.state === 'running' && found.aliases.includes(found.type)
    if (hasAlias && !parts.names.isUsed()) await takeNames(parts, copy, control)
    await stopCopy(parts, copy, control)
  })
}

/**
 * A copy that crashes at this moment is on no network that it could be taken off; it is stopped all the same. One that
 * somebody has removed has no names any more.
 */
async function takeNames(parts: EngineParts, copy: Copy, control: Control): Promise<void> {
  try {
    await nameCopy(parts, copy, [], control)
  } catch (error) {
    if (isNotFound(error)) return
    const isOwn = error instanceof RackError && (error.code === 'engine-failed' || error.code === 'conflict')
    if (!isOwn || control.signal.aborted) throw error
    parts.onTrouble(error)
  }
}

/** Removes stopped copies when their logs are copied to the end. */
export async function removeCopies(parts: EngineParts, copies: FoundCopy[], control: Control): Promise<void> {
  await mapBounded(copies, stopsAtOnce, (found) => removeCopy(parts, toCopy(found), control))
}
