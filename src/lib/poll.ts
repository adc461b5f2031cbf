import { abortable, startDeadline } from './deadline.ts'

export interface UntilOptions {
  deadlineMs: number
  /** Completes the sentence "timed out waiting for …"; a function is asked when the time is up. */
  what: string | (() => string)
  /** 50 when absent. */
  intervalMs?: number
  signal?: AbortSignal | undefined
}

type Falsy = false | null | undefined | 0 | ''

/**
 * Asks a condition, at once and then at an interval, until it gives something truthy, which is returned.
 * A condition that throws ends the wait; one that hangs is left behind at the deadline.
 *
 * @throws DeadlineError when the time is up, or the reason of the caller's signal
 */
export async function until<T>(
  condition: (signal: AbortSignal) => T | Falsy | PromiseLike<T | Falsy>,
  { intervalMs = 50, ...options }: UntilOptions,
): Promise<T> {
  using deadline = startDeadline(options)
  const { signal } = deadline
  for (;;) {
    signal.throwIfAborted()
    const value = await abortable(Promise.resolve(condition(signal)), signal)
    if (value) return value
    await pause(intervalMs, signal)
  }
}

/** Settles when the time is over. @throws the signal's reason, when it aborts before */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await abortable(promise, signal)
  } finally {
    clearTimeout(timer)
  }
}
