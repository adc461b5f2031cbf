import { isAwsError } from '../../aws/errors.ts'
import { pause } from '../../lib/poll.ts'
import type { AwsParts } from './parts.ts'

/** In which words what may not be known yet is refused: by ECS, then by balancers. */
const unknownYet = [
  'InvalidParameterException',
  'ClientException',
  'TargetGroupNotFoundException',
  'ListenerNotFoundException',
  'RuleNotFoundException',
]

/**
 * Asks for what stands on something that was made just before, such as a role, a target group or a rule: for some seconds
 * it may not be known, and is refused as what never could be (D). So it is asked for again for as long.
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
      if (!mayBeKnownLater || !isAwsError(error, ...unknownYet)) throw error
    }
    await pause(intervals.tasks, signal)
  }
}
