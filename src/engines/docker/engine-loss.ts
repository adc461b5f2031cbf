import { RackError } from '../../domain/error.ts'
import type { DockerClient } from './client.ts'
import { ownedBy } from './labels.ts'

type Signalled = { signal: AbortSignal }

/**
 * Settles when Docker goes away, is not there, or was restarted, however shortly.
 *
 * @throws cancelled when the signal ends
 */
export async function waitForLoss(
  parts: { docker: DockerClient; rack: string },
  control: Signalled,
): Promise<void> {
  try {
    await untilStreamEnds(parts, control)
  } catch (error) {
    const isLost = error instanceof RackError && error.code === 'engine-unavailable'
    if (!isLost) throw error
  }
  if (!control.signal.aborted) return
  throw new RackError('cancelled', 'nobody waits any more', { cause: control.signal.reason })
}

/** Next to nothing comes on this stream; what counts is its end. */
async function untilStreamEnds(
  { docker, rack }: { docker: DockerClient; rack: string },
  control: Signalled,
): Promise<void> {
  const query = { filters: { ...ownedBy(rack), event: ['rename'] } }
  const stream = await docker.stream({ path: '/events', query }, control)
  stream.resume()
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.once('close', resolve)
  stream.once('error', () => resolve())
  await promise
}
