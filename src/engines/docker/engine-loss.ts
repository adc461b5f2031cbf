import { RackError } from '../../domain/error.ts'
import type { DockerClient } from './client.ts'
import { ownedBy } from './labels.ts'

type Signalled = { signal: AbortSignal }

/** Settles when an open connection to Docker ends: it was stopped, killed or restarted, however shortly. */
export async function waitForLoss(
  { docker, rack }: { docker: DockerClient; rack: string },
  control: Signalled,
): Promise<void> {
  // Next to nothing comes on this stream; what counts is its end.
  const query = { filters: { ...ownedBy(rack), event: ['rename'] } }
  const stream = await docker.stream({ path: '/events', query }, control)
  stream.resume()
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.once('close', resolve)
  stream.once('error', () => resolve())
  await promise
  if (control.signal.aborted)
    throw new RackError('cancelled', 'nobody waits any more', { cause: control.signal.reason })
}
