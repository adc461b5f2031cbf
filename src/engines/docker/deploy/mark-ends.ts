import { createLineSplitter } from '../../../lib/lines.ts'
import { markCopy, toCopy } from '../containers/copies.ts'
import { inspectCopy, type FoundCopy } from '../containers/found-copy.ts'
import { hasEndedByItself } from '../containers/own-end.ts'
import { labels, ownedBy } from '../labels.ts'
import type { EngineParts } from '../parts.ts'

type Signalled = { signal: AbortSignal }

interface ContainerEvent {
  Action: string
  timeNano: number
  Actor: { ID: string; Attributes: Record<string, string> }
}

/**
 * Marks copies that end well by themselves as completed, as it happens: Docker forgets soon who brought an end about,
 * and after its own restart it knows nothing. Settles when Docker goes away, or the signal ends.
 */
export async function markEnds(parts: EngineParts, control: Signalled): Promise<void> {
  const { docker, rack } = parts
  const filters = { ...ownedBy(rack), event: ['die', 'kill', 'start', 'oom', 'destroy'] }
  const stream = await docker.stream({ path: '/events', query: { filters } }, control)
  const killed = new Set<string>()
  const splitter = createLineSplitter()
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (const line of splitter.push(chunk)) {
      const { Action, Actor, timeNano } = JSON.parse(line) as ContainerEvent
      const exitCode = Actor.Attributes['exitCode']
      parts.exits.note({ action: Action, container: Actor.ID, exitCode, timeNano })
      if (Action === 'kill') killed.add(Actor.ID)
      if (Action === 'start') killed.delete(Actor.ID)
      if (Action !== 'die') continue
      const isOwnEnd = !killed.delete(Actor.ID) && exitCode === '0'
      if (isOwnEnd && Actor.Attributes[labels.kind] === 'process') await markEnded(parts, Actor.ID, control)
    }
  }
}

/** The same for what has ended while nobody looked, as far as Docker remembers. */
export async function markFormerEnds(
  parts: EngineParts,
  found: FoundCopy[],
  control: Signalled,
): Promise<void> {
  for (const copy of found.filter(mayBeOver)) {
    try {
      if (await hasEndedByItself(parts.docker, copy, control)) await markEnded(parts, copy.container, control)
    } catch (error) {
      // One that cannot be asked about keeps no other from being marked, and no engine from starting.
      control.signal.throwIfAborted()
      parts.onTrouble(error)
    }
  }
}

/** Looks right before: a copy that is leaving, or that was marked meanwhile, keeps the mark that says so. */
async function markEnded(parts: EngineParts, container: string, control: Signalled): Promise<void> {
  try {
    const found = await inspectCopy(parts.docker, container, control)
    if (!found || !mayBeOver(found) || parts.leaving.has(found.process)) return
    await markCopy(parts, toCopy(found), 'completed', control)
  } catch (error) {
    // It may be gone by now; where it is not, whoever looks at it next asks Docker.
    if (!control.signal.aborted) parts.onTrouble(error)
  }
}

/** A copy that is through its gate, and whose type may come to an end. One in the gate is the rollout's to judge. */
function mayBeOver({ kind, state, mark, exitCode, restart }: FoundCopy): boolean {
  return (
    kind === 'process' && state === 'exited' && mark === 'proved' && exitCode === 0 && restart !== 'always'
  )
}
