import { RackError } from '../../../domain/error.ts'
import type { Owner } from '../../../domain/owner.ts'
import { createLineSplitter } from '../../../lib/lines.ts'
import { ownedBy, readOwner } from '../labels.ts'
import type { EngineParts } from '../parts.ts'

/** A container's name holds the rack's mark, so that a new name is a change too. */
const telling = ['create', 'start', 'kill', 'oom', 'die', 'rename', 'health_status', 'destroy']

/**
 * The owners of containers to which something happens; null at first, when Docker's events are listened to and what was
 * before them is to be looked at.
 * @throws engine-unavailable when Docker goes away
 */
export async function* watchProcesses(
  { docker, rack }: Pick<EngineParts, 'docker' | 'rack'>,
  control: { signal: AbortSignal },
): AsyncGenerator<Owner | null> {
  const query = { filters: { ...ownedBy(rack), event: telling } }
  const stream = await docker.stream({ path: '/events', query }, control)
  yield null
  const splitter = createLineSplitter()
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      for (const line of splitter.push(chunk)) yield ownerOf(line)
    }
  } catch (cause) {
    control.signal.throwIfAborted()
    throw away(cause)
  }
  control.signal.throwIfAborted()
  throw away()
}

function ownerOf(line: string): Owner | null {
  const { Actor } = JSON.parse(line) as { Actor: { Attributes: Record<string, string> } }
  return readOwner(Actor.Attributes)
}

function away(cause?: unknown): RackError {
  return new RackError('engine-unavailable', 'Docker Engine has ended its events', { cause })
}
