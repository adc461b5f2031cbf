import { RackError } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'

type Signalled = { signal: AbortSignal }

/** Why a rollout has ended before its old copies were told to leave: who ended it first, then what went wrong. */
export function endingOf(error: unknown, caller: Signalled, deadline: Signalled): unknown {
  if (caller.signal.aborted) {
    const reason: unknown = caller.signal.reason
    return reason instanceof RackError
      ? reason
      : new RackError('cancelled', 'the deploy was cancelled', { cause: reason })
  }
  const late: unknown = deadline.signal.reason
  if (!(late instanceof DeadlineError)) return error
  const minutes = late.deadlineMs / 60_000
  return new RackError('timeout', `the deploy took longer than ${minutes} minutes`, { cause: error })
}

/** These say by their code alone that somebody ended it, and not what has become of the app. */
const tellsNothing: ReadonlySet<string> = new Set(['cancelled', 'timeout'])

/**
 * The same end with what is true of the app since.
 * @param lack why not all of what ran before is back; null when it is
 * @param wasLive whether anything ran before
 */
export function untouched(ending: unknown, lack: string | null, wasLive: boolean): unknown {
  if (!(ending instanceof RackError)) return ending
  const { code, message, hint, details } = ending
  if (lack !== null) {
    return new RackError(code, `${message}; not all of what ran before is back: ${lack}`, {
      hint: 'The rack goes on bringing it back. See what runs: rack ps',
      details,
      cause: ending,
    })
  }
  if (!tellsNothing.has(code) || !wasLive) return ending
  return new RackError(code, `${message}; what ran before still runs`, { hint, details, cause: ending })
}
