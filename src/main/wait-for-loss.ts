import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { pause } from '../lib/poll.ts'

/** A call that is lost once is no account that went away. */
const failuresOfLoss = 2

/**
 * Settles when an engine that is asked again and again has not answered for a while.
 * @param reach throws when it does not answer
 * @throws cancelled when the signal ends
 */
export async function waitForLoss(
  { reach, periodMs }: { reach: (control: Control) => Promise<void>; periodMs: number },
  control: Control,
): Promise<void> {
  const { signal } = control
  for (let failures = 0; failures < failuresOfLoss;) {
    await pause(periodMs, signal).catch((cause: unknown) => {
      throw new RackError('cancelled', 'nobody waits any more', { cause })
    })
    failures = await reach(control).then(
      () => 0,
      () => failures + 1,
    )
  }
}
