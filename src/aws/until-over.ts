import { RackError } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until, type UntilOptions } from '../lib/poll.ts'

/**
 * `until`, of what an account does and goes on with when nobody waits any more.
 * @throws timeout when the time of this wait is up
 */
export async function untilOver<T>(look: () => Promise<T | false | null>, waiting: UntilOptions): Promise<T> {
  try {
    return await until(look, waiting)
  } catch (error) {
    // One of the caller's own is the caller's to tell.
    if (!(error instanceof DeadlineError) || waiting.signal?.aborted) throw error
    throw new RackError('timeout', `${error.message}; the account goes on with it`, {
      hint: 'Do the same again in a while: it goes on where the account then is',
      cause: error,
    })
  }
}
