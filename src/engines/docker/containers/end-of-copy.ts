import type { DockerClient } from '../client.ts'
import { waitForExit } from './copies.ts'
import { inspectCopy } from './found-copy.ts'
import { createLastExits, learnFormerExits, type LastExit } from './last-exits.ts'
import { endedOutOfMemory } from './out-of-memory.ts'

/**
 * Waits until a copy ends, and says how. Docker looks for the exit code when it comes to answer: of a container that it
 * has started again by then it says 0, and knows no want of memory. Then its events tell.
 */
export async function endOfCopy(
  docker: DockerClient,
  container: string,
  control: { signal: AbortSignal },
): Promise<LastExit> {
  const code = await waitForExit({ docker }, container, control)
  const now = await inspectCopy(docker, container, control)
  if (now && now.restarts > 0) {
    const exits = createLastExits()
    await learnFormerExits({ docker, exits }, [now], control)
    const known = exits.of(container)
    if (known) return known
  }
  return { code, isOutOfMemory: code === 137 && (await endedOutOfMemory(docker, container, control)) }
}
