import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { nameCopy, removeCopy, stopCopy, toCopy, type Copy } from '../containers/copies.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import type { EngineParts } from '../parts.ts'

/** How many containers stop at once. */
const stopsAtOnce = 8

export interface Leaving {
  app: string
  copies: FoundCopy[]
  /** How long connections of a type's copies may last. */
  drainMs: (copy: FoundCopy) => number
}

/** Lets the connections of copies end: they get no new request, and nobody finds them by name any more. */
export async function drainCopies(parts: EngineParts, leaving: Leaving, control: Control): Promise<void> {
  const { app, copies, drainMs } = leaving
  for (const { process } of copies) parts.leaving.set(process, 'draining')
  const groups = Map.groupBy(copies, drainMs)
  await Promise.all(
    Array.from(groups, ([deadlineMs, group]) =>
      parts.router.retire({ app, processes: group.map(({ process }) => process), deadlineMs }, control),
    ),
  )
}

/** Stops drained copies as their types say, without removing them. */
export async function stopCopies(parts: EngineParts, copies: FoundCopy[], control: Control): Promise<void> {
  await mapBounded(copies, stopsAtOnce, async (found) => {
    parts.leaving.set(found.process, 'stopping')
    const copy = toCopy(found)
    // Callers inside the app that look up the name from now on find its successors.
    if (found.state === 'running' && found.aliases.includes(found.type)) await takeNames(parts, copy, control)
    await stopCopy(parts, copy, control)
  })
}

/** A copy that crashes at this moment is on no network that it could be taken off; it is stopped all the same. */
async function takeNames(parts: EngineParts, copy: Copy, control: Control): Promise<void> {
  try {
    await nameCopy(parts, copy, [], control)
  } catch (error) {
    const isOwn = error instanceof RackError && (error.code === 'engine-failed' || error.code === 'conflict')
    if (!isOwn || control.signal.aborted) throw error
    parts.onTrouble(error)
  }
}

/** Removes stopped copies when their logs are copied to the end. */
export async function removeCopies(parts: EngineParts, copies: FoundCopy[], control: Control): Promise<void> {
  await mapBounded(copies, stopsAtOnce, (found) => removeCopy(parts, toCopy(found), control))
}
