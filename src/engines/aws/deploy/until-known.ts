import { isAwsError } from '../../../aws/errors.ts'
import { pause } from '../../../lib/poll.ts'
import type { AwsParts } from '../parts.ts'

/**
 * Asks ECS for what stands on something that was made just before, such as a role or a rule of the balancer: for some
 * seconds ECS may not know of it, and refuses it as it refuses what never could be (D). So it is asked again for as long.
 */
export async function untilKnown<T>(
  { intervals }: Pick<AwsParts, 'intervals'>,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const begunMs = performance.now()
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const mayBeKnownLater = performance.now() - begunMs < intervals.known
      if (!mayBeKnownLater || !isAwsError(error, 'InvalidParameterException', 'ClientException')) throw error
    }
    await pause(intervals.tasks, signal)
  }
}
