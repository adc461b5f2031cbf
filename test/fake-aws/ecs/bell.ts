import { abortable } from '../../../src/lib/deadline.ts'

/** Rung at every change of the account's tasks and services: who waits for a state looks again then. */
export interface Bell {
  ring(): void
  /** Settles at the next ring. */
  heard(): Promise<void>
}

export function createBell(): Bell {
  let next = Promise.withResolvers<void>()
  return {
    ring() {
      next.resolve()
      next = Promise.withResolvers<void>()
    },
    heard: () => next.promise,
  }
}

/** Looks at once and at every ring, until the condition holds. @throws the signal's reason, and what the condition throws */
export async function untilHolds(bell: Bell, condition: () => boolean, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    if (condition()) return
    await abortable(bell.heard(), signal)
  }
}
