import { createLineSplitter } from '../../../lib/lines.ts'
import type { DockerClient } from '../client.ts'
import type { FoundCopy } from './found-copy.ts'

/** How a container ended the last time that it did. */
export interface LastExit {
  code: number
  isOutOfMemory: boolean
}

export interface ContainerEvent {
  action: string
  container: string
  exitCode?: string | undefined
  /** By Docker's clock, ns: it tells one end from another. */
  timeNano: number
}

/** Docker remembers as many events, so no end that is older comes again. */
const rememberedEvents = 256

/** What is known of containers that run again: Docker itself forgets how they ended as soon as they do. */
export interface LastExits {
  /** One of Docker's events; one that comes again is none. */
  note(event: ContainerEvent): void
  of(container: string): LastExit | null
  /** How many of the ends that were heard of were for want of memory; null before `learned`. */
  outOfMemory(container: string): number | null
  /** What Docker remembers of earlier ends has been noted. */
  learned(): void
}

export function createLastExits(): LastExits {
  const exits = new Map<string, LastExit>()
  /** Containers of which the kernel has killed a process since they were started. */
  const killed = new Set<string>()
  /** When they ended. */
  const hasEnded = new Map<string, number>()
  let hasLearned = false
  const counts = new Map<string, { all: number; known: Set<number> }>()
  const count = (container: string, endedAt: number) => {
    const { all, known } = counts.get(container) ?? { all: 0, known: new Set() }
    if (known.has(endedAt)) return
    const [oldest] = known.add(endedAt)
    if (known.size > rememberedEvents && oldest !== undefined) known.delete(oldest)
    counts.set(container, { all: all + 1, known })
  }
  return {
    note({ action, container, exitCode, timeNano }) {
      if (action === 'start') {
        killed.delete(container)
        hasEnded.delete(container)
      }
      if (action === 'oom') killed.add(container)
      if (action === 'die') {
        hasEnded.set(container, timeNano)
        exits.set(container, { code: Number(exitCode), isOutOfMemory: false })
      }
      const exit = exits.get(container)
      // The kernel's word may come before the end that it is about, or after it; of a child it says nothing of the copy.
      const endedAt = hasEnded.get(container)
      if (exit?.code === 137 && endedAt !== undefined && killed.has(container)) {
        exit.isOutOfMemory = true
        count(container, endedAt)
      }
      if (action === 'destroy') for (const known of [exits, killed, hasEnded, counts]) known.delete(container)
    },
    of: (container) => exits.get(container) ?? null,
    outOfMemory: (container) => (hasLearned ? (counts.get(container)?.all ?? 0) : null),
    learned: () => void (hasLearned = true),
  }
}

/** Learns of ends from before this daemon, as far as Docker remembers. */
export async function learnFormerExits(
  { docker, exits }: { docker: DockerClient; exits: LastExits },
  found: FoundCopy[],
  control: { signal: AbortSignal },
): Promise<void> {
  for (const { container, createdMs } of found.filter(({ restarts }) => restarts > 0)) {
    const filters = { container: [container], event: ['die', 'oom', 'start'] }
    const query = { since: Math.floor(createdMs / 1000), until: (Date.now() / 1000).toFixed(3), filters }
    const stream = await docker.stream({ path: '/events', query }, control)
    const splitter = createLineSplitter()
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      for (const line of splitter.push(chunk)) {
        const { Action, Actor, timeNano } = JSON.parse(line) as {
          Action: string
          timeNano: number
          Actor: { Attributes: Record<string, string> }
        }
        exits.note({ action: Action, container, exitCode: Actor.Attributes['exitCode'], timeNano })
      }
    }
  }
  exits.learned()
}
