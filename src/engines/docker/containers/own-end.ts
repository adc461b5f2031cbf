import type { DockerClient } from '../client.ts'
import { createLineSplitter } from '../../../lib/lines.ts'
import type { FoundCopy } from './found-copy.ts'

interface EngineEvent {
  Action: string
  timeNano: number
}

/**
 * Whether a container that has ended is known to have ended by itself: Docker remembers the end, and no signal before
 * it. What Docker has forgotten, as after its own restart, is not known: then Docker may have stopped it.
 */
export async function hasEndedByItself(
  docker: DockerClient,
  {
    container,
    startedAt,
    finishedAt,
    state,
  }: Pick<FoundCopy, 'container' | 'startedAt' | 'finishedAt' | 'state'>,
  control: { signal: AbortSignal },
): Promise<boolean> {
  if (state !== 'exited') return false
  const filters = { container: [container], event: ['die', 'kill'] }
  const [since, end] = [Date.parse(startedAt) / 1000, Date.parse(finishedAt) / 1000 + 5]
  const until = Math.min(end, Date.now() / 1000)
  // A clock that was set back: Docker refuses such a question, and nothing is known.
  if (since > until) return false
  const query = { since: since.toFixed(3), until: until.toFixed(3), filters }
  const stream = await docker.stream({ path: '/events', query }, control)
  const splitter = createLineSplitter()
  const seen: EngineEvent[] = []
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    for (const line of splitter.push(chunk)) seen.push(JSON.parse(line) as EngineEvent)
  }
  return seen.some(({ Action }) => Action === 'die') && !seen.some(({ Action }) => Action === 'kill')
}
