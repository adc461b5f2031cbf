import { until } from '../../../lib/poll.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import type { DockerClient } from '../client.ts'
import { inspectCopy, type FoundCopy } from './found-copy.ts'

type Signalled = { signal: AbortSignal }

/** How long after an exit the kernel's word may still be on its way. */
const patienceMs = 1000

/**
 * Whether a copy that has ended was killed for want of memory. Docker hears of the kill and of the exit on two ways:
 * after a 137 the flag may come late, or the `oom` event alone.
 */
export async function endedOutOfMemory(
  docker: DockerClient,
  id: string,
  control: Signalled,
): Promise<boolean> {
  let found = await inspectCopy(docker, id, control)
  if (found?.exitCode !== 137) return false
  const isKnown = async () => {
    found = await inspectCopy(docker, id, control)
    if (!found) return 'gone'
    return found.isOutOfMemory || (await hasOomEvent(docker, found, control)) ? 'out of memory' : null
  }
  try {
    const what = 'the kernel to have killed it'
    return (
      (await until(isKnown, { deadlineMs: patienceMs, intervalMs: 50, what, ...control })) === 'out of memory'
    )
  } catch (error) {
    if (error instanceof DeadlineError) return false
    throw error
  }
}

async function hasOomEvent(
  docker: DockerClient,
  { container, createdMs }: FoundCopy,
  control: Signalled,
): Promise<boolean> {
  const filters = { container: [container], event: ['oom'] }
  const query = { since: Math.floor(createdMs / 1000), until: (Date.now() / 1000).toFixed(3), filters }
  const events = await docker.stream({ path: '/events', query }, control)
  const chunks = await Array.fromAsync(events)
  return chunks.length > 0
}
