import { createLineSplitter } from '../../../lib/lines.ts'
import type { DockerClient } from '../client.ts'
import type { FoundCopy } from './found-copy.ts'

/** How a container ended the last time that it did. */
export interface LastExit {
  code: number
  isOutOfMemory: boolean
}

/** What is known of containers that run again: Docker itself forgets how they ended as soon as they do. */
export interface LastExits {
  /** One of Docker's events. */
  note(event: { action: string; container: string; exitCode?: string | undefined }): void
  of(container: string): LastExit | null
}

export function createLastExits(): LastExits {
  const exits = new Map<string, LastExit>()
  /** Containers of which the kernel has killed a process since they were started. */
  const killed = new Set<string>()
  const hasEnded = new Set<string>()
  return {
    note({ action, container, exitCode }) {
      if (action === 'start') {
        killed.delete(container)
        hasEnded.delete(container)
      }
      if (action === 'oom') killed.add(container)
      if (action === 'die') {
        hasEnded.add(container)
        exits.set(container, { code: Number(exitCode), isOutOfMemory: false })
      }
      const exit = exits.get(container)
      // The kernel's word may come before the end that it is about, or after it; of a child it says nothing of the copy.
      if (exit?.code === 137 && hasEnded.has(container) && killed.has(container)) exit.isOutOfMemory = true
      if (action === 'destroy') for (const known of [exits, killed, hasEnded]) known.delete(container)
    },
    of: (container) => exits.get(container) ?? null,
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
        const { Action, Actor } = JSON.parse(line) as {
          Action: string
          Actor: { Attributes: Record<string, string> }
        }
        exits.note({ action: Action, container, exitCode: Actor.Attributes['exitCode'] })
      }
    }
  }
}
