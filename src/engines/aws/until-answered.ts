import { RackError } from '../../domain/error.ts'
import { pause } from '../../lib/poll.ts'
import type { AwsParts } from './parts.ts'

/** Works behind everybody's back: an account that is away for a while ends nothing, since nobody else would come back to it. */
export async function untilAnswered<T>(
  { intervals, onTrouble }: Pick<AwsParts, 'intervals' | 'onTrouble'>,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof RackError) || error.code !== 'engine-unavailable') throw error
      onTrouble(error)
    }
    await pause(intervals.away, signal)
  }
}
